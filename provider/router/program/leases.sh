# What dnsmasq 2.90 makes too much of, cured as soon as its log says so (over D-Bus or by a signal, no restart).
# - It ties an address to DUID and IAID: the same guest with another client, or another DUID behind the same MAC, is refused ("no
#   addresses available") until its former lease has run out. It forgets the lease; the client's next attempt, a second later, succeeds.
# - An address that is declined, by whoever it is kept for, is given to nobody for ten minutes. It reads its hosts again.

leases() {
  local mac mac_of rest what xid
  journalctl -q -f -n 0 -o cat -t dnsmasq-dhcp |
    grep --line-buffered -E 'client MAC address|no addresses available|disabling DHCP static address' |
    while read -r xid what rest; do
      case "$what $rest" in
        'client MAC address: '*) mac=${rest##* } mac_of=$xid ;;
        'DHCP static address '*) leases_declined "$rest" ;;
        DHCP*'no addresses available')
          [ "${mac_of:-}" = "$xid" ] || mac=
          leases_free "${rest%% *}" "$mac"
          ;;
      esac
    done
}

# leases_free DUID MAC: the lease on the address that is reserved for this client, when it is the instance's own network card
# that asks (a DUID is no secret on the link) and it was not freed just now (two clients with one DUID would take turns).
leases_free() {
  local address card
  address=$(cat "$VAR/dhcp-hosts/"* 2>/dev/null | awk -F, -v duid="id:$1" -v mac="$2" '
    { for (i = 1; i <= NF; i++) if ($i == duid || (mac != "" && $i == mac)) { match($0, /\[[^]]*\]/); print substr($0, RSTART + 1, RLENGTH - 2); exit } }
  ')
  [ -n "$address" ] && grep -q " $address " "$VAR/dnsmasq.leases" || return 0
  card=$(awk -v address="$address" '$1 == "neighbor" && $3 == address { print $4; exit }' "$ETC/live/files/network")
  [ -z "$card" ] || [ "$card" = "$2" ] || return 0
  now
  [ "$address" != "${FREED:-}" ] || [ "$NOW" -ge $((FREED_AT + 3)) ] || return 0
  FREED=$address
  FREED_AT=$NOW
  say "freeing the former lease of $address for $1"
  leases_forget "$address"
}

# leases_declined WORDS: one who declines again and again has the hosts read once a second.
leases_declined() {
  say "in spite of a DECLINE: $1"
  systemctl kill -s HUP --kill-whom=main vpc6-dnsmasq
  sleep 1
}

# leases_forget ADDRESS: its lease.
leases_forget() {
  busctl --quiet call uk.org.thekelleys.dnsmasq /uk/org/thekelleys/dnsmasq uk.org.thekelleys.dnsmasq \
    DeleteDhcpLease s "$1" </dev/null >/dev/null 2>&1
}

unit_leases() {
  echo "# by vpc6
[Unit]
Description=vpc6: leases of guests that were set up anew
BindsTo=vpc6-dnsmasq.service
After=vpc6-dnsmasq.service
# It goes with every restart of dnsmasq, and several tiers may come within a few seconds.
StartLimitIntervalSec=0

[Service]
ExecStart=$PROGRAM leases
Restart=on-failure
RestartSec=5"
}
