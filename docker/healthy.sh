#!/bin/bash
# Health check of a service: docker/healthy.sh PORT PATH ends with 0 where a request is answered with 200.
# By bash alone: it runs every few seconds, and a start of Python each time would be load on what is measured.
exec 3<>"/dev/tcp/127.0.0.1/$1" || exit 1
printf 'GET %s HTTP/1.1\r\nHost: 127.0.0.1:%s\r\nConnection: close\r\n\r\n' "$2" "$1" >&3
read -r -t 3 _ status _ <&3
[ "$status" = 200 ]
