# dnsmasq: router advertisements, DHCPv6 and DNS, in a unit of our own. It runs when at least one fragment names an interface
# (without one it would serve everybody). Guests are a file each in directories it watches: they cost no restart.

dnsmasq_slots="@DNSMASQ_SLOTS@"
dnsmasq_needs=interface=
dnsmasq_daemons="vpc6-dnsmasq vpc6-leases"
dnsmasq_assemble() { :; }

# The daemon checks its configuration, but neither directory: guests' lines are checked as if they stood in it.
dnsmasq_check() {
  local wrong
  wrong=$(awk -v lines="$RUN/dhcp-hosts" '
    BEGIN { printf "" >lines }
    kind == "dhcp" { print (/^[^#]/ ? "dhcp-host=" : "") $0 >lines }
    /^# vpc6 / { id = $3; next }
    /^#/ || !NF { next }
    # dnsmasq 2.90 dies at a SIGHUP when a host line sets a tag.
    kind == "dhcp" && /(^|,)set:/ { print id; print "no set: in a host line: " $0; exit }
    kind == "dns" && (NF < 2 || $1 !~ /^[0-9a-fA-F:.]+$/ || $0 ~ /[^-0-9A-Za-z:._ \t]/) { print id; print "not a host line: " $0; exit }
  ' kind=dhcp "$1/dhcp-hosts" kind=dns "$1/dns-hosts")
  judged $? "$wrong" || return
  [ -s "$1/dnsmasq" ] || return 0
  command -v dnsmasq >/dev/null || refuse "dnsmasq is not installed (the Router's packages should name dnsmasq-base)" || return
  dnsmasq_test "$1/dnsmasq" || return
  [ -s "$1/dhcp-hosts" ] || return 0
  dnsmasq_test "$RUN/dhcp-hosts"
}

dnsmasq_test() {
  check_with "$1" '.*at line \([0-9][0-9]*\) of .*' dnsmasq --test -C
}

dnsmasq_apply() {
  local hangup=''
  { [ -d "$VAR/dhcp-hosts" ] && [ -d "$VAR/dns-hosts" ]; } || mkdir -p "$VAR/dhcp-hosts" "$VAR/dns-hosts" || return 1
  dnsmasq_hosts "$1" || return 1
  # dnsmasq is not root when it reads them.
  [ -z "$REPAIR" ] || chmod -R a+rX "$VAR/dhcp-hosts" "$VAR/dns-hosts" || return 1
  # What a file said is not forgotten with its new text: an address that it names no more, a line that was added by hand.
  [ ! -s "$RUN/dhcp-hosts.gone" ] && [ ! -s "$RUN/dhcp-hosts.less" ] && [ -z "$REPAIR" ] || hangup=yes
  if [ ! -s "$1/dnsmasq" ]; then
    unit_stop vpc6-dnsmasq vpc6-leases
    rm -f "$RUN/dnsmasq.applied" "$RUN/dnsmasq.again"
  elif again dnsmasq || ! cmp -s "$1/dnsmasq" "$RUN/dnsmasq.applied" || ! systemctl --quiet is-active vpc6-dnsmasq; then
    rm -f "$RUN/dnsmasq.applied"
    unit_restart vpc6-dnsmasq || { dnsmasq_others; return 1; }
    cp "$1/dnsmasq" "$RUN/dnsmasq.applied"
    rm -f "$RUN/dnsmasq.again"
  elif [ -n "$hangup" ]; then
    systemctl kill -s HUP --kill-whom=main vpc6-dnsmasq
  fi
  [ -z "$hangup" ] || dnsmasq_forget "$1/dhcp-hosts"
  [ -z "$REPAIR" ] || [ ! -s "$1/dnsmasq" ] || systemctl start vpc6-leases
}

# dnsmasq_forget FILE: leases of addresses that FILE keeps for nobody. dnsmasq 2.90 renews what it has leased once, whatever became of the
# reservation. (No more than 200 at a time, some milliseconds each: the others are for the next time.)
dnsmasq_forget() {
  local address
  [ -s "$VAR/dnsmasq.leases" ] && systemctl --quiet is-active vpc6-dnsmasq || return 0
  awk -v hosts="$1" '
    BEGIN { while ((getline line <hosts) > 0) { gsub(/[][]/, "", line); n = split(line, word, ","); for (i = 1; i <= n; i++) kept[word[i]] = 1 } }
    $1 ~ /^[0-9]+$/ && NF > 3 && !($3 in kept) { print $3 }
  ' "$VAR/dnsmasq.leases" | head -n 200 >"$RUN/leases.gone"
  while read -r address; do
    leases_forget "$address"
  done <"$RUN/leases.gone"
  :
}

# dnsmasq_advertise_again FILES: a tier that was no way out is one again. Guests have forgotten it if they asked meanwhile (a
# neighbor that is no router is no default router, RFC 4861 section 7.2.5), and are told by an advertisement only; dnsmasq 2.90
# sends no more of them on a link that had lost its address when the next one was due. Once started anew it sends one at once.
dnsmasq_advertise_again() {
  ! cmp -s "$1/dnsmasq" "$RUN/dnsmasq.applied" || true >"$RUN/dnsmasq.again"
}

# dnsmasq_hosts FILES: VAR/dhcp-hosts and VAR/dns-hosts hold one file for each fragment of theirs. Files appear whole, by rename; what is gone is
# listed in RUN/dhcp-hosts.gone, what has less to say in dhcp-hosts.less (dnsmasq forgets what is said of a DHCP host only on SIGHUP).
dnsmasq_hosts() {
  local dir
  set -- "$1" "$VAR/dhcp-hosts" "$VAR/dns-hosts"
  { [ ! -e "$2.new" ] && [ ! -e "$3.new" ]; } || rm -rf "$2.new" "$3.new"
  mkdir "$2.new" "$3.new" || return 1
  # shellcheck disable=SC2012 # names are checked ids
  ls -1 "$2" "$3" >"$RUN/hosts.have"
  awk -v var="$VAR" -v run="$RUN" '@dnsmasq_hosts.awk@' "$1/dhcp-hosts" "$1/dns-hosts" || return 1
  for dir in dns-hosts dhcp-hosts; do
    [ ! -s "$RUN/$dir.new" ] || (cd "$VAR/$dir.new" && exec xargs mv -f -t "$VAR/$dir" -- <"$RUN/$dir.new") || return 1
    [ -s "$RUN/$dir.gone" ] || continue
    # A DHCP host's file is moved out: dnsmasq wants to read one that is deleted, and writes an error into the journal. (DNS's it forgets.)
    case $dir in
      dhcp-hosts) (cd "$VAR/$dir" && xargs mv -f -t "$VAR/$dir.new" -- <"$RUN/$dir.gone") || return 1 ;;
      *) (cd "$VAR/$dir" && xargs rm -f -- <"$RUN/$dir.gone") || return 1 ;;
    esac
  done
  rm -rf "$2.new" "$3.new"
}

dnsmasq_health() {
  [ -s "$1/dnsmasq" ] || return 0
  systemctl --quiet is-active vpc6-dnsmasq || refuse "vpc6-dnsmasq does not stay up: $(unit_said vpc6-dnsmasq)"
}

dnsmasq_drift() {
  dnsmasq_hosts_drift "$1"
  [ -s "$1/dnsmasq" ] || { drift_daemon vpc6-dnsmasq inactive; return; }
  drift_daemon vpc6-leases active
  drift_daemon vpc6-dnsmasq active
  # Not in force any more, or not known to be: the record goes, so that repairing restarts the daemon.
  cmp -s "$1/dnsmasq" "$ETC/live/files/dnsmasq" || rm -f "$RUN/dnsmasq.applied"
  drift_command dnsmasq "$UNIT_PID" || {
    rm -f "$RUN/dnsmasq.applied"
    echo "- vpc6-dnsmasq.service runs with other arguments than its unit says"
  }
}

# dnsmasq_hosts_drift FILES: VAR/dhcp-hosts and VAR/dns-hosts hold one file for each fragment of theirs in FILES, and no other.
dnsmasq_hosts_drift() {
  # shellcheck disable=SC2012 # names are checked below
  ls -1A "$VAR/dhcp-hosts" "$VAR/dns-hosts" 2>/dev/null >"$RUN/hosts.have"
  awk -v var="$VAR" -v have="$RUN/hosts.have" '@dnsmasq_hosts_drift.awk@' "$1/dhcp-hosts" "$1/dns-hosts"
  find "$VAR/dhcp-hosts" "$VAR/dns-hosts" \( -type f ! -perm -004 -o -type d ! -perm -005 \) \
    -printf '- %p cannot be read by dnsmasq\n' 2>/dev/null
}

# dnsmasq_others: who else listens where it would, if that is its trouble.
dnsmasq_others() {
  case $WHY in *" already in use"*) ;; *) return ;; esac
  WHY="$WHY
$(ss -Hlntup '( sport = :53 or sport = :67 or sport = :547 )' | awk 'NR <= 8 { print "there listens: " $1, $5, $7 }')"
}

dnsmasq_remove() {
  unit_stop vpc6-dnsmasq vpc6-leases
  rm -rf "$VAR/dhcp-hosts" "$VAR/dns-hosts"
}

# `vpc6-leases` reads what --log-dhcp writes (leases.sh).
dnsmasq_unit() {
  echo '# by vpc6
[Unit]
Description=vpc6: router advertisements, DHCPv6 and DNS (dnsmasq)
After=vpc6.service network.target dbus.service
Wants=vpc6-leases.service
StartLimitIntervalSec=0

[Service]
Type=forking
PIDFile=@RUN@/dnsmasq.pid
ExecStart=/usr/sbin/dnsmasq -C @LIVE@/dnsmasq -x @RUN@/dnsmasq.pid --dhcp-leasefile=@VAR@/dnsmasq.leases --log-dhcp --enable-dbus
Restart=on-failure
RestartSec=1
TimeoutStartSec=20
TimeoutStopSec=10'
}
