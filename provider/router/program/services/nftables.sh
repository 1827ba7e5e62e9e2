# nftables: a table of ours, `@TABLE@`, replaced whole in one transaction, and two named `vpc6_shares`, of which the rules are
# replaced and the counts stay. Other people's tables are never touched.

nftables_slots="@NFTABLES_SLOTS@"

# The table is made anew each time: its file begins with this where there is any fragment (see assemble.sh).
nftables_head='table @TABLE@\ndelete table @TABLE@
table @SHARES@ { set share_tiers { type ifname; }; }\nflush table @SHARES@\nflush set @SHARES@ share_tiers
table @ARP_SHARES@ { set arp_tiers { type ifname; }; set arp_shared_addresses { type ifname . ipv4_addr; }; set arp_shared_guests { type ifname . ether_addr . ether_addr . ipv4_addr; }; }
flush table @ARP_SHARES@\nflush set @ARP_SHARES@ arp_tiers\nflush set @ARP_SHARES@ arp_shared_addresses\nflush set @ARP_SHARES@ arp_shared_guests'
nftables_assemble() { :; }

nftables_check() {
  local wrong
  [ -s "$1/nftables" ] || return 0
  command -v nft >/dev/null || refuse "nft is not installed (the Router's packages should name nftables)" || return
  # Two lists on one tier would be one chain to nft, in which the first alone has a say. Of one program that is a passing state:
  # Pulumi makes what is new before it takes away what it replaces. Of two it would stay.
  wrong=$(awk -v made="${1%/files}/fragments/made/" '@nftables_check.awk@' "$1/nftables")
  judged $? "$wrong" || return
  check_with "$1/nftables" '^nftables:\([0-9][0-9]*\):.*' nft -c -f
}

nftables_apply() {
  if [ ! -s "$1/nftables" ]; then
    nftables_remove
    return
  fi
  WHY=$(nft -f "$1/nftables" 2>&1) || return 1
}

nftables_health() {
  # Loaded whole or not at all: that the table is there is enough, and its thousands of lines are not listed.
  [ ! -s "$1/nftables" ] || nftables_there '@TABLE@' || refuse "the table @TABLE@ is not there: $(nft list tables inet 2>&1)"
}

# nftables_there TABLE: one of family inet. (Of all listings this one alone does not have nft read every element of every set.)
nftables_there() {
  case "$(nft -t list chains inet 2>/dev/null)" in *"table $1 {"*) return 0 ;; *) return 1 ;; esac
}

# nftables_lost FILES: a flush leaves the tables, or the chains of one, and takes all rules.
nftables_lost() {
  [ ! -s "$1/nftables" ] || nft -t -s list ruleset 2>/dev/null | awk '@nftables_lost.awk@' "$1/nftables" -
}

nftables_remove() {
  command -v nft >/dev/null || return 0
  # `delete` of what is not there is an error, `table` makes it first.
  printf 'table %s\ndelete table %s\n' '@TABLE@' '@TABLE@' '@SHARES@' '@SHARES@' \
    '@ARP_SHARES@' '@ARP_SHARES@' | nft -f -
}

# At boot a filter that cannot be loaded leaves the host closed: nothing is forwarded until someone has looked.
nftables_closed() {
  nft -f - <<'END'
table @TABLE@
delete table @TABLE@
table @TABLE@ {
  chain forward {
    type filter hook forward priority filter; policy drop;
  }
}
END
}

# Names of chains and sets are never those of another of these tables.
NFTABLES_LIST='list table @TABLE@
list table @SHARES@
list table @ARP_SHARES@'

# nftables_made FILE LIST: what FILE makes in a network namespace that is empty, by the commands LIST.
nftables_made() {
  nftables_commands "$1" "$2" | HOME=/dev/null unshare -n nft -s -i
}

# nftables_commands FILE COMMANDS: for an nft that reads them one by one. (It keeps a history of them, in HOME.)
nftables_commands() {
  printf 'include "%s"\n%s\n' "$1" "$2"
}

# Both in nft's own words: what the file makes, and what is there. The order in which sets and chains came to be does not count, nor does
# that of a set's elements; what the kernel itself keeps in a set is not looked at.
nftables_drift() {
  local first=''
  echo "$NFTABLES_LIST" | HOME=/dev/null nft -s -i >"$RUN/nft.now" 2>/dev/null
  read -r first <"$RUN/nft.now"
  [ "$first" = 'table @TABLE@ {' ] || {
    [ ! -s "$1/nftables" ] || echo "- table @TABLE@ removed"
    return
  }
  [ -s "$1/nftables" ] || {
    echo "- table @TABLE@ added"
    return
  }
  nftables_made "$1/nftables" "$NFTABLES_LIST" >"$RUN/nft.want" 2>"$RUN/nft.out"
  [ ! -s "$RUN/nft.out" ] || {
    echo "- table @TABLE@ cannot be compared, $(head -n 1 "$RUN/nft.out")"
    return
  }
  nftables_differences nft "$1/nftables"
}

# nftables_differences NAME FILE: of the listings RUN/NAME.want, which FILE makes, and RUN/NAME.now.
nftables_differences() {
  local list
  ! cmp -s "$RUN/$1.want" "$RUN/$1.now" || return 0
  for list in want now; do
    nftables_lines "$RUN/$1.$list" >"$RUN/$1.$list.lines"
  done
  diff "$RUN/$1.want.lines" "$RUN/$1.now.lines" | awk -F '\t' -v file="$2" '@nftables_drift.awk@'
}

# nftables_lines FILE: a listing as lines `OBJECT<tab>RULE`, `OBJECT<tab>element ELEMENT` and `OBJECT<tab>` for itself.
nftables_lines() {
  awk '@nftables_lines.awk@' "$1" | sort -t "$(printf '\t')" -k 1,1 -k 2,2 -k 3 | cut -f 1,3
}
