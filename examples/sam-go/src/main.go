// Sums up measurements from a queue.
package main

import (
	"encoding/json"
	"fmt"
	"hash/crc32"
)

type batch struct {
	Records []record
}

type record struct {
	MessageID  string `json:"messageId"`
	Body       string
	Attributes struct{ ApproximateReceiveCount string }
}

type failure struct {
	ItemIdentifier string `json:"itemIdentifier"`
}

type result struct {
	BatchItemFailures []failure `json:"batchItemFailures"`
}

// One attempt in five fails; which ones depends on measurement and attempt alone.
func fails(id, attempt string) bool {
	return crc32.ChecksumIEEE([]byte(id+"/"+attempt))%5 == 0
}

func handle(event []byte) (any, error) {
	var given batch
	if err := json.Unmarshal(event, &given); err != nil {
		return nil, err
	}
	answer := result{BatchItemFailures: []failure{}}
	for _, one := range given.Records {
		var measured struct{ ID string }
		if err := json.Unmarshal([]byte(one.Body), &measured); err != nil {
			return nil, err
		}
		if fails(measured.ID, one.Attributes.ApproximateReceiveCount) {
			fmt.Println("unreadable:", measured.ID)
			answer.BatchItemFailures = append(answer.BatchItemFailures, failure{one.MessageID})
		} else {
			fmt.Println("added", measured.ID)
		}
	}
	return answer, nil
}

func main() {
	serve(handle)
}
