# What another hand takes away is put back: `watch` waits until somebody tells that something may be gone, and has `heal` look whether any of
# ours is. Who tells says one word: `rules` (of nftables), `links` (and all that is on them: watch.pl). What is then to be looked at is each
# service that has beside its other functions
#   NAME_lost FILES        what of FILES is not there any more, a line each
#   NAME_heal FILES        puts that back, and nothing else. Without: NAME_apply
# In the order in which they are put back:

WATCHED_rules="nftables guard"
WATCHED_links="sysctl network"

watch() {
  local more tries what
  {
    # What was lost while nobody watched, and until those do.
    { echo all && sleep 1 && echo all; } &
    { watch_links; kill $$; } &
    watch_rules
    # Who does not tell any more takes the others along: systemd starts them again.
    kill $$
  } | while read -r what; do
    # What comes along with it, or right behind it, is the same event.
    more=$(timeout 0.1 cat)
    case "$NEWLINE$what$NEWLINE$more$NEWLINE" in
      *"${NEWLINE}all$NEWLINE"* | *"${NEWLINE}links$NEWLINE"*"${NEWLINE}rules$NEWLINE"* | *"${NEWLINE}rules$NEWLINE"*"${NEWLINE}links$NEWLINE"*) what=all ;;
    esac
    tries=0
    until "$PROGRAM" heal "$what"; do
      tries=$((tries + 1))
      case $tries in 1) sleep 0.1 ;; [2-5]) sleep 0.5 ;; *) sleep 5 ;; esac
    done
  done
  return 1
}

# Each rule by its place only. The elements of sets are not told of.
watch_rules() {
  # Of all that is told: `monitor destroy rules` is a syntax error to nft 1.1.3, to which `destroy` is a command's word.
  nft monitor rules | grep --line-buffered -E '^delete .* vpc6|ERROR' | while read -r _; do echo rules; done
}

watch_links() {
  perl - "$ETC/live/files/network" "$NETWORK_PROTO" <<'END'
@WATCH_LINKS@
END
}

# heal [WHAT]: a transaction replaces in one step. Where something seems to be lost nevertheless, its end is waited for. 1 if it stays lost.
heal() {
  local code=0 service watched="$WATCHED_rules $WATCHED_links"
  case ${1:-all} in
    rules) watched=$WATCHED_rules ;;
    links) watched=$WATCHED_links ;;
    # For how long what is lost has been is not known.
    *) rm -f "$RUN/network.up" ;;
  esac
  run_dir && [ -e "$ETC/live" ] || return 0
  if heal_needed "$watched"; then
    exec 9>>"$RUN/lock" && flock -w 600 9 || return 1
    # Removed while we waited; or it did not load at boot, and someone has to look before anything is served.
    [ -e "$ETC/live" ] && [ ! -e "$RUN/closed" ] || return 0
    held_by "the router itself, which puts back what something else has removed"
    if has_any "$watched" network; then heal_moved || code=1; fi
    for service in $watched; do
      heal_service "$service" "$ETC/live/files" || code=1
    done
    ! again dnsmasq || heal_dnsmasq "$ETC/live/files" || code=1
  fi
  ! has_any "$watched" network || network_seen "$ETC/live/files"
  return $code
}

# heal_needed "SERVICES": may something have to be done? Without the lock.
heal_needed() {
  [ -z "$(lost "$1" "$ETC/live/files")" ] || return 0
  has_any "$1" network && { network_gone || macs_came "$ETC/live" || again dnsmasq; }
}

heal_service() {
  local how lost
  lost=$("${1}_lost" "$2" | awk 'NR <= 8 { printf "%s%s", sep, $0; sep = ", " } END { if (NR > 8) printf ", and %d more", NR - 8 }')
  [ -n "$lost" ] || return 0
  WHY=
  command -v "${1}_heal" >/dev/null && how=heal || how=apply
  "${1}_$how" "$2" || {
    say_why "gone, and not to be put back: $lost: "
    return 1
  }
  say "put back, as it was gone: $lost"
  # The same hand, again: `systemctl restart nftables` flushes twice.
  [ -z "$("${1}_lost" "$2")" ]
}

# heal_moved: an interface that is named by its MAC address has another name now. As it is at boot. What waits for its confirmation is not
# made anew.
heal_moved() {
  local BOOTING=yes code=0 service
  macs_came "$ETC/live" || return 0
  generations && [ "$LIVE" = "$CONFIRMED" ] || return 1
  say "an interface has another name: $(macs | macs_names "$LIVE")"
  sums_remake "$LIVE" || code=1
  for service in $SERVICES; do
    WHY=
    "${service}_apply" "$LIVE/files" || { say_why "$service: "; code=1; }
  done
  return $code
}

# heal_dnsmasq FILES: guests of a tier that was no way out are told at once that it is one again: as soon as the kernel lets anybody speak there,
# see network_mute. 1 until then.
heal_dnsmasq() {
  ! network_mute "$1" || return 1
  WHY=
  dnsmasq_apply "$1" || { say_why "dnsmasq: "; return 1; }
}

# lost "SERVICES" FILES
lost() {
  local service
  for service in $1; do "${service}_lost" "$2"; done
}

unit_watch() {
  echo "# by vpc6
[Unit]
Description=vpc6: puts back what another hand takes away
After=vpc6-firewall.service vpc6-guard.service vpc6.service
StartLimitIntervalSec=0

[Service]
ExecStart=$PROGRAM watch
Restart=always
RestartSec=0.2
Nice=-5"
}
