# bash completion of pooled-fetch, made by completions/make.

_pooled_fetch()
{
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
    COMPREPLY=()
    # "--report=html" comes as three words.
    if [ "$current" = = ]; then current=; fi
    if [ "$previous" = = ]; then previous=${COMP_WORDS[COMP_CWORD - 2]}; fi
    case $previous in
    --report)
        mapfile -t COMPREPLY < <(compgen -W "text json html" -- "$current")
        return
        ;;
    --input-file | -K | --config | -o | --output | -D | --dump-header | --etag-save | --etag-compare | -T | --upload-file | --cacert | -E | --cert | --key | --unix-socket | --proxy-cacert | --proxy-cert | --proxy-key | --trace | --trace-ascii | --stderr)
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
        return
        ;;
    --output-dir | --capath | --proxy-capath)
        mapfile -t COMPREPLY < <(compgen -d -- "$current")
        return
        ;;
    --tls-max)
        mapfile -t COMPREPLY < <(compgen -W "1.2 1.3 default" -- "$current")
        return
        ;;
    -X | --request)
        mapfile -t COMPREPLY < <(compgen -W "GET HEAD POST PUT PATCH DELETE OPTIONS" -- "$current")
        return
        ;;
    --cert-type | --key-type)
        mapfile -t COMPREPLY < <(compgen -W "PEM DER" -- "$current")
        return
        ;;
    -h | --help)
        mapfile -t COMPREPLY < <(compgen -W "all urls output request redirects retries limits tls network proxies pool report accepted" -- "$current")
        return
        ;;
    --proto-default)
        mapfile -t COMPREPLY < <(compgen -W "http https" -- "$current")
        return
        ;;
    --url | -c | --concurrency | --parallel-max | -n | --repeat | --duration | --rate | --proto | --url-query | -C | --continue-at | -H | --header | -A | --user-agent | -e | --referer | -b | --cookie | -r | --range | -z | --time-cond | -u | --user | --oauth2-bearer | -d | --data | --data-ascii | --data-binary | --data-raw | --data-urlencode | --json | -F | --form | --form-string | --expect100-timeout | --max-redirs | --proto-redir | --retry | --retry-on | --retry-delay | --retry-max-time | -m | --max-time | --connect-timeout | --read-timeout | --max-filesize | --limit-rate | -Y | --speed-limit | -y | --speed-time | --pass | --pinnedpubkey | --ciphers | --resolve | --connect-to | --interface | --abstract-unix-socket | --keepalive-time | -x | --proxy | -U | --proxy-user | --proxy-header | --proxy-pass | --proxy-pinnedpubkey | --proxy-ciphers | --socks4 | --socks4a | --socks5 | --socks5-hostname | --preproxy | --noproxy | --pool-maxsize | --pool-timeout | --num-pools | --max-idle | --max-lifetime | -w | --write-out)
        return
        ;;
    esac
    if [[ $current == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "--url --input-file --globoff --concurrency --parallel-max --repeat --duration --rate --proto --proto-default --disallow-username-in-url --url-query --config --output --remote-name --remote-name-all --remote-header-name --output-dir --create-dirs --no-clobber --remote-time --remove-on-error --continue-at --out-null --include --dump-header --etag-save --etag-compare --request --head --header --user-agent --referer --cookie --range --time-cond --user --oauth2-bearer --data --data-ascii --data-binary --data-raw --data-urlencode --json --get --form --form-string --upload-file --compressed --raw --expect100-timeout --location --max-redirs --location-trusted --post301 --post302 --post303 --proto-redir --retry --retry-on --retry-connrefused --retry-all-errors --retry-delay --retry-max-time --max-time --connect-timeout --read-timeout --max-filesize --limit-rate --speed-limit --speed-time --cacert --capath --insecure --cert --cert-type --key --key-type --pass --pinnedpubkey --tlsv1 --tlsv1.0 --tlsv1.1 --tlsv1.2 --tlsv1.3 --tls-max --ciphers --resolve --connect-to --ipv4 --ipv6 --interface --unix-socket --abstract-unix-socket --keepalive-time --no-keepalive --proxy --proxy-user --proxy-header --proxy-cacert --proxy-capath --proxy-insecure --proxy-cert --proxy-key --proxy-pass --proxy-pinnedpubkey --proxy-ciphers --socks4 --socks4a --socks5 --socks5-hostname --preproxy --noproxy --suppress-connect-headers --pool-maxsize --pool-block --pool-timeout --num-pools --max-idle --max-lifetime --fail --fail-with-body --fail-early --silent --show-error --no-progress-meter --verbose --trace --trace-ascii --trace-time --stderr --write-out --jsonl --report --demo --help --version --parallel --parallel-immediate --disable --no-buffer --progress-bar --styled-output --http1.1 --tcp-nodelay --basic --proxy-basic --socks5-basic" -- "$current")
    fi
}
complete -o default -F _pooled_fetch pooled-fetch
