# The assembled file, then what FRR runs with: statements that are in one and not in the other, as lines `ID TEXT`.
FNR == 1 { file++ }
/^# vpc6 / { id = $3 }
/^[#!]/ || /^ *!/ || !NF { next }
{ $1 = $1 }
/^(frr (version|defaults)|hostname|domainname|log|service|no ip(v6)? forwarding|Building|Current|end$)/ { next }
/^exit-address-family$/ { family = ""; next }
/^exit$/ { block = ""; next }
/^(router|route-map|interface|vrf|segment-routing|line) / { block = $0 " "; family = ""; line = $0 }
/^address-family / { family = $0 " "; next }
{ line = block == $0 " " ? $0 : block family $0 }
file == 1 { if (!(line in by)) { by[line] = id; order[++n] = line } next }
{ now[line] = 1; if (!(line in by)) extra[++m] = line }
END {
  for (i = 1; i <= n; i++) if (!(order[i] in now)) print by[order[i]], "bgpd, line removed, " order[i]
  for (i = 1; i <= m; i++) {
    # Beside a neighbour, a list or a map of ours: whose that is.
    id = "-"; count = split(extra[i], w, " ")
    for (j = 1; j <= n && id == "-"; j++) for (k = 1; k <= count; k++) if (w[k] ~ /:.*:/ && index(order[j] " ", w[k] " ")) id = by[order[j]]
    print id, "bgpd, line added, " extra[i]
  }
}
