package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
)

// The loop of a custom runtime: take the next event, work, answer.
func serve(handler func(event []byte) (any, error)) {
	api := "http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + "/2018-06-01/runtime/invocation/"
	for {
		request, event, err := next(api + "next")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		answer, err := handler(event)
		if err != nil {
			send(api+request+"/error", map[string]string{"errorType": "Failed", "errorMessage": err.Error()})
			continue
		}
		send(api+request+"/response", answer)
	}
}

func next(url string) (request string, event []byte, err error) {
	response, err := http.Get(url)
	if err != nil {
		return "", nil, err
	}
	defer response.Body.Close()
	event, err = io.ReadAll(response.Body)
	return response.Header.Get("Lambda-Runtime-Aws-Request-Id"), event, err
}

func send(url string, answer any) {
	body, err := json.Marshal(answer)
	if err == nil {
		var response *http.Response
		if response, err = http.Post(url, "application/json", bytes.NewReader(body)); err == nil {
			response.Body.Close()
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
