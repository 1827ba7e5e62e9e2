# The assembled file: what is on links that become ours now, and not by us (see network_found).
BEGIN {
  while ((getline line <found) > 0) taken[line] = 1
  while ((getline line <(run "/network")) > 0) mine[line] = 1
  while ((getline line <(run "/network.live")) > 0) { split(line, part, "\t"); live[++count] = part[1] }
}
{ split($0, w, " ") }
w[1] != "interface" || ("taken " w[2]) in taken { next }
{
  print "taken " w[2]
  for (i = 1; i <= count; i++) { split(live[i], l, " "); if (l[2] == w[2] && !(live[i] in mine)) print live[i] }
}
