#!/bin/sh
# Queues first: Chalice maps its functions to queues that are there.
set -eu
stage=${1:-local}
aws cloudformation deploy --stack-name "tickets-$stage" --template-file queues.yaml --parameter-overrides "Stage=$stage" \
    --no-fail-on-empty-changeset
chalice deploy --stage "$stage"
