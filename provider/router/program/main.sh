# Which verb is asked for.
verb=${1:-}
[ $# = 0 ] || shift
case $verb in
  converge)
    # SSH_CONNECTION: client, its port, server, its port.
    CLIENT=${2:-}
    CLIENT=${CLIENT%% *}
    CLIENT=${CLIENT%%%*}
    converge "${1:-}"
    ;;
  confirm) confirm "${1:?}" ;;
  rollback) rollback "${1:?}" ;;
  boot) boot "${1:-}" ;;
  down) down ;;
  leases) leases ;;
  watch) watch ;;
  heal) heal "${1:-}" ;;
  guard) if [ -z "${1:-}" ]; then guard; else guard_wait; fi ;;
  observe) observe ;;
  tayga) tayga_device "${1:?}" ;;
  uninstall) uninstall "${1:?}" "${2:-}" ;;
  *)
    echo "usage: vpc6 converge HASH CLIENT | confirm N | rollback N | boot [firewall] | observe | uninstall ID [MADE]" >&2
    exit 2
    ;;
esac
exit
# @PROGRAM_END@
