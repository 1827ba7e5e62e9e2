# haproxy: load balancers, in a unit of our own beside the distribution's. It runs when at least one fragment has a `listen`
# section. A change is a reload: a new process takes the listening sockets over, the old one ends with its last connection.

haproxy_slots="haproxy certificates"

# A certificate with its key is a file of its own, `certificates.d/<id>`.
haproxy_assemble() {
  [ ! -s "$1/haproxy" ] || grep -q '^listen ' "$1/haproxy" || true >"$1/haproxy"
  [ -s "$1/certificates" ] || return 0
  awk -v dir="$1/certificates.d/" '
    /^# vpc6 / { if (file != "") close(file); file = dir $3; next }
    { print >file }
  ' "$1/certificates"
}

# The daemon does not see an address and port that are bound twice: the kernel would share connections out between both.
haproxy_check() {
  [ -s "$1/haproxy" ] || return 0
  command -v haproxy >/dev/null || {
    WHY="haproxy is not installed (the LoadBalancer's packages should name it)"
    return 1
  }
  grep -q '^global' "$1/haproxy" || {
    WHY="the Router was set up by an older version of vpc6: update it first"
    return 1
  }
  haproxy_wrong=$(awk '
    /^# vpc6 / { id = $3 }
    $1 == "bind" && ($2 in by) { print id; print "bind " $2 " is already said by " by[$2]; exit }
    $1 == "bind" { by[$2] = id }
  ' "$1/haproxy")
  if [ -n "$haproxy_wrong" ]; then
    BLAME=${haproxy_wrong%%
*}
    WHY=${haproxy_wrong#*
}
    return 1
  fi
  # The certificates are not live yet.
  sed "s|$ETC/live/files/|$1/|" "$1/haproxy" >"$1/haproxy.check"
  haproxy -c -f "$1/haproxy.check" >"$RUN/haproxy.out" 2>&1
  haproxy_code=$?
  rm -f "$1/haproxy.check"
  [ $haproxy_code != 0 ] || return 0
  WHY=$(grep -E 'ALERT|WARNING' "$RUN/haproxy.out" | sed "s|$1/||g; s|haproxy\.check:|haproxy:|g")
  haproxy_line=$(sed -n 's|.*ALERT.*\['"$1"'/haproxy.check:\([0-9][0-9]*\)\].*|\1|p' "$RUN/haproxy.out" | head -n 1)
  [ -z "$haproxy_line" ] || blame "$1/haproxy" "$haproxy_line"
  return 1
}

haproxy_apply() {
  if [ ! -s "$1/haproxy" ]; then
    haproxy_stop
    rm -f "$RUN/haproxy.applied"
    return
  fi
  if { ! systemctl --quiet is-active vpc6-haproxy && ! haproxy_reloading; } ||
    # A reload keeps the arguments.
    { [ -n "$REPAIR" ] && ! drift_command vpc6-haproxy; }; then
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
  haproxy_before=$(haproxy_workers)
  systemctl kill -s USR2 --kill-whom=main vpc6-haproxy || return 1
  haproxy_waits=0
  while [ $haproxy_waits -lt 100 ]; do
    for haproxy_worker in $(haproxy_workers); do
      # shellcheck disable=SC2086 # a list of numbers
      has "$haproxy_worker" $haproxy_before && continue
      ! systemctl --quiet is-active vpc6-haproxy || return 0
    done
    haproxy_waits=$((haproxy_waits + 1))
    sleep 0.05
  done
  WHY="the new configuration is not in force: $(unit_said vpc6-haproxy)"
  return 1
}

haproxy_workers() {
  haproxy_master=$(systemctl show -P MainPID vpc6-haproxy)
  cat "/proc/$haproxy_master/task/$haproxy_master/children" 2>/dev/null
}

haproxy_reloading() {
  [ "$(systemctl show -P ActiveState vpc6-haproxy)" = reloading ]
}

haproxy_health() {
  [ -s "$1/haproxy" ] || return 0
  systemctl --quiet is-active vpc6-haproxy || {
    WHY="vpc6-haproxy does not stay up: $(unit_said vpc6-haproxy)"
    return 1
  }
}

haproxy_drift() {
  [ -s "$1/haproxy" ] || { drift_daemon vpc6-haproxy inactive; return; }
  drift_daemon vpc6-haproxy active
  for haproxy_file in "$1/certificates.d"/* "$ETC/live/files/certificates.d"/*; do
    haproxy_name=certificates.d/${haproxy_file##*/}
    [ ! -e "$haproxy_file" ] || cmp -s "$1/$haproxy_name" "$ETC/live/files/$haproxy_name" && continue
    [ -e "$1/$haproxy_name" ] && echo "${haproxy_file##*/} $ETC/live/files/$haproxy_name changed" || echo "- $ETC/live/files/$haproxy_name added"
  done | sort -u >"$RUN/haproxy.files"
  cat "$RUN/haproxy.files"
  # Not in force any more, or not known to be: the record goes, so that repairing reloads.
  if [ -n "$drift_changed" ] || [ -s "$RUN/haproxy.files" ]; then rm -f "$RUN/haproxy.applied"; fi
  drift_command vpc6-haproxy || echo "- vpc6-haproxy.service runs with other arguments than its unit says"
}

haproxy_stop() {
  [ "$(systemctl show -P ActiveState vpc6-haproxy)" = inactive ] || systemctl stop vpc6-haproxy
}

haproxy_remove() {
  haproxy_stop
}

haproxy_unit() {
  cat <<'END'
# by vpc6
[Unit]
Description=vpc6: load balancers (haproxy)
After=vpc6.service network.target
StartLimitIntervalSec=0

[Service]
Type=notify
ExecStart=/usr/sbin/haproxy -Ws -f /etc/vpc6/live/files/haproxy
ExecReload=/usr/sbin/haproxy -c -f /etc/vpc6/live/files/haproxy
ExecReload=/bin/kill -USR2 $MAINPID
KillMode=mixed
SuccessExitStatus=143
Restart=on-failure
RestartSec=1
TimeoutStartSec=20
TimeoutStopSec=10
END
}
