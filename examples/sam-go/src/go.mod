module measurements

go 1.21
