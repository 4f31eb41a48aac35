#!/bin/sh
# Server and worker for `make run`. Both end together, also on Ctrl-C.

export PUBLIC_URL="${PUBLIC_URL:-http://127.0.0.1:$PORT}"

cat <<TEXT

  Home-services CRM runs on http://127.0.0.1:$PORT   (Ctrl-C to stop)

    admin     http://127.0.0.1:$PORT/admin/     admin / demo
    API       http://127.0.0.1:$PORT/api/docs   manager, csr or rep / demo
                                             (manager2, csr2, rep2: the second company)

TEXT

"$BIN/gunicorn" -c config/gunicorn.py config.wsgi & server=$!
"$BIN/python" manage.py work & worker=$!
trap 'kill $server $worker 2>/dev/null; wait; exit 0' INT TERM HUP

while kill -0 $server 2>/dev/null && kill -0 $worker 2>/dev/null; do
    sleep 1 & wait $!
done
kill $server $worker 2>/dev/null
wait
exit 1
