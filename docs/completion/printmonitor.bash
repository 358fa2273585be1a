# Completion of bash for printmonitor. Written by docs/generate.py.
_printmonitor() {
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}
    local command='' word before='' words=''
    COMPREPLY=()
    case ${COMP_WORDS[0]##*/} in
        pm_wizard) command='wizard' ;;
        testapp) command='test' ;;
        pm_import_printers) command='import-printers' ;;
    esac
    for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        if [[ -z $command && $before != --state ]]; then
            case $word in query|discover|test|record|export|import-printers|outbox|counters|status|licence|wizard|check|poller|traps|web|plugs|box) command=$word ;; esac
        fi
        before=$word
    done
    case $command:$previous in
        *:--state) mapfile -t COMPREPLY < <(compgen -d -- "$current"); return ;;
        test:--port) compopt +o default; return ;;
        record:--port) compopt +o default; return ;;
        record:--output) mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
        export:--output) mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
        counters:--confirm) compopt +o default; return ;;
        licence:--output) mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
        licence:--url) compopt +o default; return ;;
        licence:--code) compopt +o default; return ;;
        wizard:--site) compopt +o default; return ;;
        wizard:--range) compopt +o default; return ;;
        wizard:--community) compopt +o default; return ;;
        wizard:--query-every) compopt +o default; return ;;
        wizard:--discover-at) compopt +o default; return ;;
        wizard:--time-zone) compopt +o default; return ;;
        wizard:--transmission) compopt +o default; return ;;
        wizard:--mail-host) compopt +o default; return ;;
        wizard:--mail-port) compopt +o default; return ;;
        wizard:--mail-security) compopt +o default; return ;;
        wizard:--mail-username) compopt +o default; return ;;
        wizard:--mail-password) compopt +o default; return ;;
        wizard:--mail-sender) compopt +o default; return ;;
        wizard:--mail-recipient) compopt +o default; return ;;
        wizard:--licence) mapfile -t COMPREPLY < <(compgen -W "online file keep later" -- "$current"); return ;;
        wizard:--licence-file) mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
        wizard:--enrolment-url) compopt +o default; return ;;
        wizard:--code) compopt +o default; return ;;
        traps:--port) compopt +o default; return ;;
        web:--port) compopt +o default; return ;;
        web:--bind) compopt +o default; return ;;
        plugs:--timeout) compopt +o default; return ;;
        plugs:--interface) compopt +o default; return ;;
    esac
    case $command in
        "") words="query discover test record export import-printers outbox counters status licence wizard check poller traps web plugs box --state --version --help" ;;
        query) words="--state --json --help" ;;
        discover) words="--state --json --help" ;;
        test) words="--port --json --help" ;;
        record) words="--port --mask --output --help" ;;
        export) words="--state --output --help" ;;
        import-printers) words="--dry-run --force --state --json --help" ;;
        outbox) words="list show retry test --state --json --help" ;;
        counters) words="--state --json --confirm --help" ;;
        status) words="--state --json --help" ;;
        licence) words="status request install enrol --state --json --output --url --code --help" ;;
        wizard) words="--state --site --range --community --query-every --discover-at --time-zone --transmission --mail-host --mail-port --mail-security --mail-username --mail-password --mail-sender --mail-recipient --licence --licence-file --enrolment-url --code --discover --no-discover --test --no-test --yes --licence-only --schedule-only --help" ;;
        check) words="--state --json --help" ;;
        poller) words="--state --help" ;;
        traps) words="--state --json --enable --disable --list --port --help" ;;
        web) words="--state --port --bind --help" ;;
        plugs) words="--json --timeout --interface --help" ;;
        box) words="apply fetch health network network-try provision request revive update --state --help" ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}
complete -o default -F _printmonitor printmonitor pm_wizard testapp pm_import_printers
complete -W "query discover --state --version --help" pm_query
