// Faults that tests of the router's program must find, each a change of one place in its text. `tools/env node test/unit/program/find-faults.mts`
// puts them in one at a time and says which test finds each.

export interface Fault {
  /** Whose tests are to find it: the file's name. */
  tests: string;
  what: string;
  from: string;
  to: string;
}

export const faults: readonly Fault[] = [
  {
    tests: "heal",
    what: "a link that was set down on purpose is set up",
    from: '{ network_is_up "$1" || network_is_new "$1"; }',
    to: ":",
  },
  {
    tests: "heal",
    what: "what another has put in the place of ours is taken from him",
    from: '(!(key(line) in held) || (adopts && w[1] == "route"))',
    to: "1",
  },
  {
    tests: "heal",
    what: "what the operator has put on a link that was made again is nobody's",
    from: 'grep -vxF -e "taken $dev" "$VAR/network.found" >',
    to: 'grep -e . "$VAR/network.found" >',
  },
  {
    tests: "heal",
    what: "an address is not checked for a duplicate, however long it was away",
    from: '*) rm -f "$RUN/network.up" ;;',
    to: "*) ;;",
  },
  {
    tests: "heal",
    what: "a link is set up while udev is at work on it",
    from: '[ ! -e "$UDEV/control" ] || [ -e "$UDEV/data/n$index" ]',
    to: ":",
  },
  {
    tests: "heal",
    what: "a link that comes again under its old number is taken for one that was set down",
    from: '! network_gone || network_indexes "$1/network"',
    to: ":",
  },
  {
    tests: "watch",
    what: "each neighbor that goes wakes it",
    from: "return $ours{substr $_[0], 32, $length - 4};",
    to: "return 1;",
  },
  {
    tests: "watch",
    what: "each route that goes wakes it",
    from: "$load->(21); $accept->($EQUAL, $_) for @protocols;",
    to: "$load->(21); $accept->($EQUAL, $_) for @protocols, 186;",
  },
  {
    tests: "network",
    what: "a route of ours that is there is taken for a stranger's",
    from: "if (!(key in want) || proto == ours || want[key]",
    to: "if (!(key in want) || want[key]",
  },
  {
    tests: "network",
    what: "what was ours once is deleted, also when it is the operator's now",
    from: "if (line in live || heal) mine[line] = 1\n",
    to: "mine[line] = 1\n",
  },
  {
    tests: "network",
    what: "a link that is given back does not listen to advertisements again",
    from: 'accept_ra) network_relearn "$dev" "$value" ;;',
    to: "accept_ra) ;;",
  },
  {
    tests: "network",
    what: "an address of another hand on a tier's link is not seen",
    from: 'if (from == ours || (w[2] in tier && from == "static")) {',
    to: "if (from == ours) {",
  },
  {
    tests: "network",
    what: "an address that another host has is healthy",
    from: '/ dadfailed/ { print "failed"',
    to: '/ dadfaild/ { print "failed"',
  },
  {
    tests: "sysctl",
    what: "what the kernel changes along with forwarding does not come back",
    from: `net/ipv[46]/conf/all/*) sysctl_print "\${1%/all/*}"/*/"\${1##*/}" ;;`,
    to: "nothing) ;;",
  },
  {
    tests: "sysctl",
    what: "an interface that did not listen to advertisements begins to",
    from: '[ "$(cat "$path")" = 1 ] || continue\n',
    to: "\n",
  },
  {
    tests: "sysctl",
    what: "two resources that set one key to two values",
    from: "key in seen && seen[key] != value",
    to: "0",
  },
  {
    tests: "nftables",
    what: "a chain of another hand at the end of the table makes ours seem added",
    from: "!NF { next }\n/^table / { object",
    to: "/^table / { object",
  },
  {
    tests: "transaction",
    what: "a filter that does not load is no failure",
    from: '    nftables_apply "$CONFIRMED/files" && return 0\n',
    to: "    return 0\n",
  },
  {
    tests: "nftables",
    what: "an element of a set that another hand took is the Router's drift, not its guest's",
    from: "element[w[5], trim(e[i])] = id",
    to: "element[w[5], e[i]] = id",
  },
  {
    tests: "guard",
    what: "a guard that does not start is no failure",
    from: ' || refuse "$(unit_said vpc6-guard)" || return\n  fi',
    to: "\n  fi",
  },
  {
    tests: "guard",
    what: "at boot all else is served without the guard",
    from: '    true >"$RUN/closed"\n    break\n',
    to: "",
  },
  {
    tests: "guard",
    what: "a chain without its rules is not lost",
    from: "if (part[1] == 0 && (part[2] in there)",
    to: "if (0",
  },
  {
    tests: "guard",
    what: "what does not load is not tried again",
    from: 'heal_service "$service" "$ETC/live/files" || code=1',
    to: 'heal_service "$service" "$ETC/live/files"',
  },
  {
    tests: "guard",
    what: "who puts back does so while vpc6 is taken away",
    from: "unit_stop vpc6-watch vpc6-guard",
    to: "unit_stop vpc6-guard",
  },
  {
    tests: "dnsmasq",
    what: "a guest that is gone keeps its reservation: no SIGHUP",
    from: '[ ! -s "$RUN/dhcp-hosts.gone" ] && [ ! -s "$RUN/dhcp-hosts.less" ] && [ -z "$REPAIR" ] || hangup=yes',
    to: ":",
  },
  {
    tests: "leases",
    what: "a guest that loses an address is still given it: no SIGHUP",
    from: '[ ! -s "$RUN/dhcp-hosts.less" ] && ',
    to: "",
  },
  {
    tests: "leases",
    what: "a lease of an address that is nobody's any more is renewed",
    from: '[ -z "$hangup" ] || dnsmasq_forget',
    to: "true || dnsmasq_forget",
  },
  {
    tests: "frr",
    what: "an FRR that somebody has told something is taken for untouched",
    from: "frr_running && ! grep -qvE",
    to: "! grep -qvE",
  },
  {
    tests: "dnsmasq",
    what: "a host line that sets a tag, of which dnsmasq dies",
    from: 'kind == "dhcp" && /(^|,)set:/',
    to: 'kind == "dhcp" && /^,set:/',
  },
  {
    tests: "dnsmasq",
    what: "a file of another hand among the guests' is not seen",
    from: '  ls -1A "$VAR/dhcp-hosts" "$VAR/dns-hosts" 2>/dev/null >"$RUN/hosts.have"',
    to: '  : >"$RUN/hosts.have"',
  },
  {
    tests: "frr",
    what: "a neighbour that goes is not told",
    from: '  frr_leave "$1"\n  [ ! -s "$RUN/frr.changes" ]',
    to: '  [ ! -s "$RUN/frr.changes" ]',
  },
  {
    tests: "frr",
    what: "a password of two resources is told",
    from: '" has another one (they share the neighbour)"',
    to: '" has " word[$2]',
  },
  {
    tests: "frr",
    what: "a statement of a block is compared without its heading",
    from: 'line = block == $0 " " ? $0 : block family $0',
    to: "line = $0",
  },
  {
    tests: "haproxy",
    what: "an address and port of two balancers",
    from: '$1 == "bind" && ($2 in by)',
    to: '$1 == "bund" && ($2 in by)',
  },
  {
    tests: "haproxy",
    what: "a reload that no new process answers to",
    from: 'has "$worker" $before && continue',
    to: "",
  },
  {
    tests: "haproxy",
    what: "a certificate that another hand changed is not seen",
    from: "&& continue\n    case $file",
    to: "; continue\n    case $file",
  },
  {
    tests: "named",
    what: "gateways of links that dnsmasq does not serve are asked too",
    from: '$1 == "address" && $2 in served && $3 ~ /:/',
    to: '$1 == "address" && $3 ~ /:/',
  },
  {
    tests: "named",
    what: "one that does not listen is healthy",
    from: '[ -n "$missing" ] || return 0\n    tries=$((tries + 1))\n    [ $tries -lt 50 ] || break\n    sleep 0.1\n  done\n  refuse "vpc6-named',
    to: 'return 0\n    tries=$((tries + 1))\n    [ $tries -lt 50 ] || break\n    sleep 0.1\n  done\n  refuse "vpc6-named',
  },
  {
    tests: "tayga",
    what: "a pool inside another one",
    from: "x[2] < y[2] ? x[2] : y[2]",
    to: "x[2] > y[2] ? x[2] : y[2]",
  },
  {
    tests: "tayga",
    what: "a way of before stays",
    from: 'ip route del "$to" dev "$1"',
    to: ":",
  },
  {
    tests: "password",
    what: "the gateways' names are under an id that nobody has (D1)",
    from: 'if (!named++) print "# vpc6 " router',
    to: 'if (!named++) print "# vpc6 @" router',
  },
  {
    tests: "password",
    what: "what a guest acknowledged is kept for the next one of its name",
    from: '|| rm -f "$state"',
    to: "|| :",
  },
  {
    tests: "packages",
    what: "packages start their daemons",
    from: '    chmod 755 "$POLICY.vpc6" && mv -f "$POLICY.vpc6" "$POLICY"',
    to: '    chmod 755 "$POLICY.vpc6"',
  },
  {
    tests: "packages",
    what: "what came along with a package stays when it is purged",
    from: 'cat "$RUN/new" >>"$VAR/packages"',
    to: 'grep -v libs "$RUN/new" >>"$VAR/packages"',
  },
  {
    tests: "payload",
    what: "a payload that lost a line in the middle",
    from: 'if ($2 != NR - 1) bad("incomplete',
    to: 'if (0) bad("incomplete',
  },
  {
    tests: "payload",
    what: "files of older generations are written",
    from: '[ ! -s "$1.old" ] || xargs rm -f -- <"$1.old" || return 1',
    to: ":",
  },
  {
    tests: "payload",
    what: "another stack's resource is taken over",
    from: '[ "$there" = "$id" ] && [ "$STACK" = "$owner" ]',
    to: ":",
  },
  {
    tests: "transaction",
    what: "what was replaced takes the new one with it",
    from: '[ -n "$there" ] && [ "$there" != "$3" ]',
    to: "false",
  },
  {
    tests: "assemble",
    what: "a secret of one resource stands in another one's text",
    from: "for (token in secret) delete secret[token]",
    to: "",
  },
  {
    tests: "assemble",
    what: "of a bridge and its port nobody has the MAC",
    from: '[ ! -e "$link/master" ] || rank=2',
    to: ":",
  },
  {
    tests: "assemble",
    what: "a secret is quoted",
    from: "if (length(line) - end > 3)",
    to: "if (length(line) - end > 300)",
  },
  {
    tests: "transaction",
    what: "the number of a generation that was put back is given again",
    from: `    [ "\${dir##*/}" -le "$n" ] || n=\${dir##*/}\n  done\n  n=$((n + 1))`,
    to: `  done\n  n=$((\${CONFIRMED##*/} + 1))`,
  },
  {
    tests: "transaction",
    what: "the filter is put back first",
    from: "for service in $BACKWARDS; do\n    ! differs",
    to: "for service in $SERVICES; do\n    ! differs",
  },
  {
    tests: "transaction",
    what: "a client who comes by a link of ours needs no confirmation",
    from: 'network_has "$dev" "$CONFIRMED/files/network" "$NEXT/files/network"\n',
    to: "return 1\n",
  },
  {
    tests: "lock",
    what: "a transaction that is sent again waits for itself",
    from: '|| [ "$PENDING_NONCE" = "$NONCE" ]',
    to: "",
  },
  {
    tests: "units",
    what: "a drop-in is not seen",
    from: '[ ! -e "$unit_file" ] || echo "- $unit_file added"',
    to: ":",
  },
];
