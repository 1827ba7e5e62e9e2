# named: DNS64 (RFC 6147), in a unit of our own beside the distribution's. It stands between dnsmasq and those guests that a `dns64`
# statement names: the packet filter leads their queries to it, and it asks dnsmasq, which knows the VPC's names and everybody
# else's resolvers. It must see the guests themselves: behind dnsmasq it could not tell one VPC from another.
# shellcheck disable=SC2015 # A && B || C: C is for when either fails

# Where the distribution's AppArmor profile lets it read.
NAMED_CONF=$ROOT/etc/bind/vpc6.conf
NAMED_PORT=@DNS64_PORT@

named_slots="@NAMED_SLOTS@"
named_needs='dns64 '
named_daemons=vpc6-named

# The gateways' IPv6 addresses are both where guests ask and where dnsmasq answers.
named_assemble() {
  [ ! -s "$1/named" ] || awk -v named="$1/named" -v port="$NAMED_PORT" '@named.awk@' "$1/dnsmasq" "$1/network" "$1/named"
}

named_check() {
  [ -s "$1/named" ] || return 0
  command -v named-checkconf >/dev/null || refuse "named is not installed (the Nat64's packages should name bind9)" || return
  check_with "$1/named" '^named:\([0-9][0-9]*\):.*' named-checkconf
}

named_apply() {
  if [ ! -s "$1/named" ]; then
    named_remove
    return
  fi
  if [ -n "$REPAIR" ] && ! drift_command named "$(systemctl show -P MainPID vpc6-named)"; then unit_stop vpc6-named; fi
  if cmp -s "$1/named" "$NAMED_CONF" && systemctl --quiet is-active vpc6-named; then return 0; fi
  cp "$1/named" "$NAMED_CONF.new" && chmod 644 "$NAMED_CONF.new" && mv "$NAMED_CONF.new" "$NAMED_CONF" ||
    refuse "$NAMED_CONF cannot be written" || return
  if systemctl --quiet is-active vpc6-named; then
    systemctl kill -s HUP --kill-whom=main vpc6-named
  else
    unit_restart vpc6-named
  fi
}

# Does it listen wherever guests will be led to it?
named_health() {
  local tries=0 at missing want
  [ -s "$1/named" ] || return 0
  want=$(sed -n 's/^\tlisten-on-v6 port [0-9]* {\(.*\) };/\1/p' "$1/named" | tr -d ';')
  while :; do
    ss -Hlnu "sport = :$NAMED_PORT" | awk '{ print $4 }' >"$RUN/named.listens"
    missing=
    for at in $want; do
      grep -qxF "[$at]:$NAMED_PORT" "$RUN/named.listens" || missing=$at
    done
    [ -n "$missing" ] || return 0
    tries=$((tries + 1))
    [ $tries -lt 50 ] || break
    sleep 0.1
  done
  refuse "vpc6-named does not listen on $missing: $(unit_said vpc6-named)"
}

named_drift() {
  if [ ! -s "$1/named" ]; then
    [ ! -e "$NAMED_CONF" ] || echo "- $NAMED_CONF added"
    drift_daemon vpc6-named inactive
    return
  fi
  drift_file "$1/named" "$NAMED_CONF" named
  drift_daemon vpc6-named active
  drift_command named "$UNIT_PID" || echo "- vpc6-named.service runs with other arguments than its unit says"
}

named_remove() {
  unit_stop vpc6-named
  rm -f "$NAMED_CONF"
}

named_unit() {
  echo "# by vpc6
[Unit]
Description=vpc6: DNS64 (named)
After=vpc6.service vpc6-dnsmasq.service network.target
StartLimitIntervalSec=0

[Service]
Type=exec
User=bind
ExecStart=/usr/sbin/named -f -c $NAMED_CONF
CapabilityBoundingSet=
NoNewPrivileges=yes
ProtectSystem=strict
ReadWritePaths=/var/cache/bind
ProtectHome=yes
PrivateTmp=yes
Restart=always
RestartSec=1
TimeoutStartSec=20
TimeoutStopSec=10"
}
