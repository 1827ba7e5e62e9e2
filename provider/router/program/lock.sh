# One transaction at a time, whoever asks (another stack may be at work). The lock dies with its holder; what a holder that
# died left half done is seen by the next one, see `recover`.

# lock SECONDS: 0 when it is ours and no transaction waits for its confirmation but one with our own NONCE.
lock() {
  local until
  now
  until=$((NOW + $1))
  LOCK_TOLD=
  while :; do
    run_dir && true >>"$RUN/lock" || return 1
    exec 9>>"$RUN/lock"
    if ! flock -n 9; then
      lock_tell
      until flock -w 5 9; do
        now
        [ "$NOW" -lt "$until" ] || return 1
        LOCK_TOLD=
        lock_tell
      done
    fi
    # A lock that was removed (uninstall) while we waited for it is nobody's.
    [ "$RUN/lock" -ef /proc/self/fd/9 ] || continue
    pending
    now
    if [ "$PENDING" != waiting ] || [ "$NOW" -ge "$PENDING_UNTIL" ] || [ "$PENDING_NONCE" = "$NONCE" ]; then
      return 0
    fi
    lock_tell
    exec 9>&-
    [ "$NOW" -lt "$until" ] || return 1
    sleep 0.3
  done
}

lock_tell() {
  [ -z "$LOCK_TOLD" ] || return 0
  LOCK_TOLD=yes
  holder
  say "waiting for $HOLDER"
}

# held_by TEXT: who is said to hold the lock, by those that have no payload to say it.
held_by() {
  { echo "$1" >"$RUN/holder"; } 2>/dev/null
}

# holder: HOLDER = who holds the lock, in the words of its payload.
holder() {
  HOLDER=
  [ ! -r "$RUN/holder" ] || read -r HOLDER <"$RUN/holder"
  : "${HOLDER:=another transaction}"
}

# pending: PENDING = applying (at work, or died), waiting (for `confirm`) or nothing; PENDING_N,
# PENDING_UNTIL, PENDING_TIMER, PENDING_NONCE.
pending() {
  PENDING='' PENDING_N='' PENDING_UNTIL=0 PENDING_TIMER='' PENDING_NONCE=''
  [ ! -r "$RUN/pending" ] || read -r PENDING PENDING_N PENDING_UNTIL PENDING_TIMER PENDING_NONCE <"$RUN/pending"
  case $PENDING_UNTIL in '' | *[!0-9]* | ?????????????*) PENDING_UNTIL=0 ;; esac
  # Nothing waits longer than a payload may ask for.
  now
  [ "$PENDING_UNTIL" -le $((NOW + CONFIRM_MOST)) ] || PENDING_UNTIL=0
}

# arm STATE N: the router puts everything back by itself unless told otherwise within CONFIRM_WAIT. Each state has its own
# timer: one that has just run out finds a later deadline in the file and does nothing.
arm() {
  local old
  now
  old=${PENDING_TIMER:-}
  PENDING_TIMER=vpc6-rollback-$2-$1-$$
  echo "$1 $2 $((NOW + CONFIRM_WAIT)) $PENDING_TIMER $NONCE" >"$RUN/pending.new" && mv -T "$RUN/pending.new" "$RUN/pending" || return 1
  systemd-run --quiet --collect --unit="$PENDING_TIMER" --on-active="$CONFIRM_WAIT" --timer-property=AccuracySec=100ms \
    --property=TimeoutStartSec=600 "$PROGRAM" rollback "$2" >/dev/null 2>"$RUN/armed" 9>&- ||
    refuse "no rollback timer: $(cat "$RUN/armed")" || return
  [ -z "$old" ] || timer_stop "$old"
}

disarm() {
  [ ! -e "$RUN/pending" ] || rm -f "$RUN/pending"
  [ -z "${PENDING_TIMER:-}" ] || timer_stop "$PENDING_TIMER"
  PENDING_TIMER=
}

# timer_stop TIMER: nobody waits for it, as without its line in RUN/pending it does nothing when it runs out.
timer_stop() {
  systemctl stop --no-block "$1.timer" </dev/null >/dev/null 2>&1 9>&- &
}
