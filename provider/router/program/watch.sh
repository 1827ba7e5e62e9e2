# What another hand takes away is put back: `watch` waits until somebody deletes rules, and has `heal` look whether any of ours are gone.
# A new source of events is one producer more in `watch`; what is then to be looked at is a service in WATCHED, which has beside its
# other functions
#   NAME_lost FILES        what of FILES is not there any more, a name a line

WATCHED="nftables guard"

watch() {
  local wait
  {
    # What was lost while nobody watched, and until nft does.
    { echo begun && sleep 1 && echo begun; } &
    # Each rule by its place only. The elements of sets are not told of.
    nft monitor destroy rules | grep --line-buffered -E ' vpc6|ERROR'
  } | while read -r _; do
    # What comes along with it, or right behind it, is the same event.
    timeout 0.1 cat >/dev/null
    wait=0.1
    until "$PROGRAM" heal; do
      sleep $wait
      wait=5
    done
  done
  # Nobody tells anything any more: systemd starts it again.
  return 1
}

# heal: a transaction replaces in one step. Where something seems to be lost nevertheless, its end is waited for. 1 if it stays lost.
heal() {
  local code=0 service
  run_dir && [ -n "$(lost "$ETC/live/files")" ] || return 0
  exec 9>>"$RUN/lock" && flock -w 600 9 || return 1
  # Removed while we waited; or it did not load at boot, and someone has to look before anything is served.
  [ -e "$ETC/live" ] && [ ! -e "$RUN/closed" ] || return 0
  held_by "what puts back what another hand took away"
  for service in $WATCHED; do
    heal_service "$service" "$ETC/live/files" || code=1
  done
  return $code
}

heal_service() {
  local lost
  lost=$("${1}_lost" "$2" | awk '{ printf "%s%s", sep, $0; sep = ", " }')
  [ -n "$lost" ] || return 0
  WHY=
  "${1}_apply" "$2" || {
    say_why "gone, and not to be put back: $lost: "
    return 1
  }
  say "put back, as it was gone: $lost"
  # The same hand, again: `systemctl restart nftables` flushes twice.
  [ -z "$("${1}_lost" "$2")" ]
}

# lost FILES
lost() {
  local service
  for service in $WATCHED; do "${service}_lost" "$1"; done
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
