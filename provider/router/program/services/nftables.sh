# nftables: one table of ours, `inet vpc6`, replaced whole in one transaction. Other people's tables are never touched.

nftables_slots=nftables

nftables_assemble() {
  [ -s "$1/nftables" ] || return 0
  {
    echo "table inet vpc6"
    echo "delete table inet vpc6"
    cat "$1/nftables"
  } >"$1/nftables.new" && mv "$1/nftables.new" "$1/nftables"
}

nftables_check() {
  [ -s "$1/nftables" ] || return 0
  command -v nft >/dev/null || {
    WHY="nft is not installed (the Router's packages should name nftables)"
    return 1
  }
  nft -c -f "$1/nftables" >"$RUN/nft.out" 2>&1 && return 0
  WHY=$(sed "s|^$1/||" "$RUN/nft.out")
  nftables_line=$(printf '%s\n' "$WHY" | sed -n 's/^nftables:\([0-9][0-9]*\):.*/\1/p' | head -n 1)
  [ -z "$nftables_line" ] || blame "$1/nftables" "$nftables_line"
  return 1
}

nftables_apply() {
  if [ ! -s "$1/nftables" ]; then
    nftables_remove
    return
  fi
  WHY=$(nft -f "$1/nftables" 2>&1) || return 1
}

nftables_health() {
  [ ! -s "$1/nftables" ] || WHY=$(nft list table inet vpc6 2>&1 >/dev/null)
}

nftables_remove() {
  command -v nft >/dev/null || return 0
  # `delete` of what is not there is an error, `table` makes it first.
  printf 'table inet vpc6\ndelete table inet vpc6\n' | nft -f -
}

# At boot a filter that cannot be loaded leaves the host closed: nothing is forwarded until someone has looked.
nftables_closed() {
  nft -f - <<'END'
table inet vpc6
delete table inet vpc6
table inet vpc6 {
  chain forward {
    type filter hook forward priority filter; policy drop;
  }
}
END
}
