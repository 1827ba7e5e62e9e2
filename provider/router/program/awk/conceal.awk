# Text, with a placeholder in the place of every secret: `secrets` is a command that prints lines `PLACEHOLDER SECRET`.
BEGIN {
  while (secrets != "" && (secrets | getline line) > 0) {
    end = index(line, " ")
    if (length(line) - end > 3) { token[++n] = substr(line, 1, end - 1); text[n] = substr(line, end + 1) }
  }
}
{
  for (i = 1; i <= n; i++) {
    out = ""
    while (at = index($0, text[i])) { out = out substr($0, 1, at - 1) token[i]; $0 = substr($0, at + length(text[i])) }
    $0 = out $0
  }
  print
}
