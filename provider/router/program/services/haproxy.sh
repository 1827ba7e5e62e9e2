# haproxy: load balancers, in a unit of our own beside the distribution's. It runs when at least one fragment has a `listen`
# section. A change is a reload: a new process takes the listening sockets over, the old one ends with its last connection.

haproxy_slots="@HAPROXY_SLOTS@"
haproxy_needs='listen '
haproxy_daemons=vpc6-haproxy

# A certificate with its key is a file of its own, `@CERTIFICATES@/<id>`.
haproxy_assemble() {
  [ -s "$1/certificates" ] || return 0
  awk -v dir="$1/@CERTIFICATES@/" '
    /^# vpc6 / { if (file != "") close(file); file = dir $3; next }
    { print >file }
  ' "$1/certificates"
}

# The daemon does not see an address and port that are bound twice: the kernel would share connections out between both.
haproxy_check() {
  local code=0 wrong
  [ -s "$1/haproxy" ] || return 0
  command -v haproxy >/dev/null || refuse "haproxy is not installed (the LoadBalancer's packages should name it)" || return
  grep -q '^global' "$1/haproxy" || refuse "the Router was set up by an older version of vpc6: update it first" || return
  wrong=$(awk -v rivals="$RUN/rivals" '
    /^# vpc6 / { id = $3 }
    $1 == "bind" && ($2 in by) { print id, by[$2] >rivals; print id; print "bind " $2 " is already said by " by[$2]; exit }
    $1 == "bind" { by[$2] = id }
  ' "$1/haproxy")
  judged $? "$wrong" || return
  # The certificates are not live yet.
  sed "s|@LIVE@/|$1/|" "$1/haproxy" >"$1/haproxy.check"
  check_with "$1/haproxy.check" '.*ALERT.*\[haproxy\.check:\([0-9][0-9]*\)\].*' haproxy -c -f || code=1
  rm -f "$1/haproxy.check"
  # Of its notices nothing is told, unless there is nothing else.
  [ $code = 0 ] || WHY=$(printf '%s\n' "$WHY" | sed 's|haproxy\.check|haproxy|g' | { grep -E 'ALERT|WARNING' || printf '%s\n' "$WHY"; })
  return $code
}

haproxy_apply() {
  if [ ! -s "$1/haproxy" ]; then
    unit_stop vpc6-haproxy
    rm -f "$RUN/haproxy.applied"
    return
  fi
  if { ! systemctl --quiet is-active vpc6-haproxy && ! haproxy_reloading; } ||
    # A reload keeps the arguments.
    { [ -n "$REPAIR" ] && ! drift_command haproxy "$(systemctl show -P MainPID vpc6-haproxy)"; }; then
    rm -f "$RUN/haproxy.applied"
    unit_restart vpc6-haproxy || return 1
  elif [ "$(haproxy_sum "$1")" != "$(cat "$RUN/haproxy.applied" 2>/dev/null)" ]; then
    rm -f "$RUN/haproxy.applied"
    haproxy_reload || return 1
  fi
  haproxy_sum "$1" >"$RUN/haproxy.applied"
}

haproxy_sum() {
  cat "$1/haproxy" "$1/certificates" | sha256sum
}

# A reload that fails (an address that cannot be bound) leaves the old process at work and tells nobody: the new configuration
# is in force when there is a process that was not there before, and systemd has heard so from the master.
haproxy_reload() {
  local before waits worker
  before=$(haproxy_workers)
  systemctl kill -s USR2 --kill-whom=main vpc6-haproxy || return 1
  waits=0
  while [ $waits -lt 100 ]; do
    for worker in $(haproxy_workers); do
      # shellcheck disable=SC2086 # a list of numbers
      has "$worker" $before && continue
      ! systemctl --quiet is-active vpc6-haproxy || return 0
    done
    waits=$((waits + 1))
    sleep 0.05
  done
  refuse "the new configuration is not in force: $(unit_said vpc6-haproxy)"
}

haproxy_workers() {
  local master
  master=$(systemctl show -P MainPID vpc6-haproxy)
  cat "$PROC/$master/task/$master/children" 2>/dev/null
}

haproxy_reloading() {
  [ "$(systemctl show -P ActiveState vpc6-haproxy)" = reloading ]
}

haproxy_health() {
  [ -s "$1/haproxy" ] || return 0
  systemctl --quiet is-active vpc6-haproxy || refuse "vpc6-haproxy does not stay up: $(unit_said vpc6-haproxy)"
}

haproxy_drift() {
  local file live="$ETC/live/files" name
  [ -s "$1/haproxy" ] || { drift_daemon vpc6-haproxy inactive; return; }
  drift_daemon vpc6-haproxy active
  for file in "$1/@CERTIFICATES@"/* "$live/@CERTIFICATES@"/*; do
    name=@CERTIFICATES@/${file##*/}
    [ ! -e "$file" ] || cmp -s "$1/$name" "$live/$name" && continue
    case $file in "$1"/*) echo "${file##*/} $live/$name changed" ;; *) [ -e "$1/$name" ] || echo "- $live/$name added" ;; esac
  done >"$RUN/haproxy.files"
  # Not in force any more, or not known to be: the record goes, so that repairing reloads.
  if [ -n "$DRIFT_CHANGED" ] || [ -s "$RUN/haproxy.files" ]; then
    rm -f "$RUN/haproxy.applied"
    sort "$RUN/haproxy.files"
  fi
  drift_command haproxy "$UNIT_PID" || echo "- vpc6-haproxy.service runs with other arguments than its unit says"
}

haproxy_remove() {
  unit_stop vpc6-haproxy
}

haproxy_unit() {
  # shellcheck disable=SC2016 # $MAINPID is systemd's.
  echo '# by vpc6
[Unit]
Description=vpc6: load balancers (haproxy)
After=vpc6.service network.target
StartLimitIntervalSec=0

[Service]
Type=notify
ExecStart=/usr/sbin/haproxy -Ws -f @LIVE@/haproxy
ExecReload=/usr/sbin/haproxy -c -f @LIVE@/haproxy
ExecReload=/bin/kill -USR2 $MAINPID
KillMode=mixed
SuccessExitStatus=143
Restart=on-failure
RestartSec=1
TimeoutStartSec=20
TimeoutStopSec=10'
}
