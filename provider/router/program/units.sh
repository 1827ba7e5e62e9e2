# The units: the firewall before there is a network, the rest when the links are there, and one for each daemon that needs
# its own. Written again when the program changes.
# shellcheck disable=SC2015 # A && B || C: C is for when either fails

unit_firewall() {
  cat <<END
# by vpc6
[Unit]
Description=vpc6: packet filter
DefaultDependencies=no
Wants=network-pre.target vpc6-guard.service
Before=network-pre.target shutdown.target
# Who may flush the ruleset comes first. Each of them is before network-pre.target as well: there is no cycle.
After=local-fs.target systemd-modules-load.service nftables.service netfilter-persistent.service ufw.service firewalld.service
Conflicts=shutdown.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=$PROGRAM boot firewall
ExecStop=$PROGRAM down

[Install]
WantedBy=multi-user.target
END
}

unit_main() {
  cat <<END
# by vpc6
[Unit]
Description=vpc6: last confirmed configuration
Wants=vpc6-firewall.service vpc6-watch.service
After=vpc6-firewall.service vpc6-guard.service network.target systemd-networkd.service networking.service NetworkManager.service
Before=network-online.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=$PROGRAM boot

[Install]
WantedBy=multi-user.target
END
}

# units: writes what differs; one daemon-reload when anything did.
units() {
  ! units_known || return 0
  UNITS_CHANGED=
  UNITS_NAMES=
  units_each unit || return 1
  [ -z "$REPAIR" ] || units_drop_ins_remove
  if [ -n "$UNITS_CHANGED$REPAIR" ]; then
    # `enable` would have systemd read everything once more.
    WHY=$(systemctl --quiet --no-reload enable vpc6-firewall.service vpc6.service 2>&1 && systemctl daemon-reload 2>&1) && WHY='' || return 1
    systemctl --no-block try-restart vpc6-watch >/dev/null 2>&1
  fi
  # shellcheck disable=SC2086 # a list of names
  printf '%s\n' "$PROGRAM_HASH" $UNITS_NAMES >"$VAR/units"
}

# units_known: were they written by this very program, and is each there and untouched since? Their texts are the program's own.
units_known() {
  local stamp="$VAR/units" by unit_file
  [ -z "$REPAIR" ] && [ -r "$stamp" ] || return 1
  {
    read -r by
    [ "$by" = "$PROGRAM_HASH" ] || return 1
    while read -r unit_file; do
      [ -e "$UNITS/$unit_file" ] && ! [ "$UNITS/$unit_file" -nt "$stamp" ] || return 1
    done
  } <"$VAR/units"
}

# units_each COMMAND: COMMAND NAME for each unit, its text in RUN/unit.
units_each() {
  local service suffix
  unit_firewall >"$RUN/unit" && "$1" vpc6-firewall || return 1
  unit_main >"$RUN/unit" && "$1" vpc6 || return 1
  unit_leases >"$RUN/unit" && "$1" vpc6-leases || return 1
  unit_watch >"$RUN/unit" && "$1" vpc6-watch || return 1
  unit_password >"$RUN/unit" && "$1" vpc6-password@ || return 1
  unit_password_socket '[%i]' >"$RUN/unit" && "$1" vpc6-password@.socket || return 1
  unit_password_socket %i >"$RUN/unit" && "$1" vpc6-password-ipv4@.socket || return 1
  for service in $SERVICES; do
    command -v "${service}_unit" >/dev/null || continue
    eval "suffix=\${${service}_template:-}"
    "${service}_unit" >"$RUN/unit" && "$1" "vpc6-$service$suffix" || return 1
  done
}

# unit_name NAME: a service, unless the name says otherwise.
unit_name() {
  case $1 in *.*) echo "$1" ;; *) echo "$1.service" ;; esac
}

unit() {
  local unit_file
  unit_file=$(unit_name "$1")
  UNITS_NAMES="$UNITS_NAMES $unit_file"
  unit_file=$UNITS/$unit_file
  ! cmp -s "$RUN/unit" "$unit_file" || return 0
  cp "$RUN/unit" "$UNITS/.$1.vpc6" && mv "$UNITS/.$1.vpc6" "$unit_file" || refuse "$unit_file cannot be written" || return
  UNITS_CHANGED=yes
}

# units_drift: changed texts, drop-ins (they change what a unit of ours does), and whether the router comes back at boot.
units_drift() {
  local unit_file unit_in unit_name
  units_each unit_drift
  for unit_in in "$UNITS" "$UNITS_UNTIL_BOOT"; do
    for unit_file in "$unit_in"/vpc6.service.d/* "$unit_in"/vpc6-*.service.d/* "$unit_in"/vpc6-*.socket.d/*; do
      [ ! -e "$unit_file" ] || echo "- $unit_file added"
    done
  done
  for unit_name in vpc6-firewall vpc6; do
    [ -e "$UNITS/multi-user.target.wants/$unit_name.service" ] || echo "- $unit_name.service is disabled"
  done
}

unit_drift() {
  drift_file "$RUN/unit" "$UNITS/$(unit_name "$1")"
}

units_drop_ins_remove() {
  rm -rf "$UNITS"/vpc6.service.d "$UNITS"/vpc6-*.service.d "$UNITS"/vpc6-*.socket.d \
    "$UNITS_UNTIL_BOOT"/vpc6.service.d "$UNITS_UNTIL_BOOT"/vpc6-*.service.d "$UNITS_UNTIL_BOOT"/vpc6-*.socket.d
}

# unit_restart NAME: at boot it may wait for its turn; else WHY is what it said when it did not start.
unit_restart() {
  if [ -n "${BOOTING:-}" ]; then
    systemctl restart --no-block "$1"
    return
  fi
  systemctl restart "$1" >"$RUN/unit.out" 2>&1 && return 0
  refuse "$(unit_said "$1")"
}

unit_said() {
  local unit_id
  unit_id=$(systemctl show -P InvocationID "$1")
  journalctl -q --no-pager -o cat -n 8 "_SYSTEMD_INVOCATION_ID=$unit_id" 2>/dev/null | grep . || cat "$RUN/unit.out" 2>/dev/null
}

units_remove() {
  systemctl --quiet --no-reload disable vpc6-firewall.service vpc6.service >/dev/null 2>&1
  # Those that a later version left too. Without a stop they stay in systemd's lists, as "not-found".
  systemctl stop 'vpc6*' >/dev/null 2>&1
  units_drop_ins_remove
  rm -f "$VAR/units" "$UNITS"/vpc6.service "$UNITS"/vpc6-*.service "$UNITS"/vpc6-*.socket "$UNITS"/.vpc6*.vpc6
  systemctl daemon-reload
  systemctl reset-failed 'vpc6*' >/dev/null 2>&1
}
