# Says `links` whenever the kernel may have lost something of ours: at once, and a second later, when whoever took it is through; no more
# than twice a second; and once a minute, as it does not tell of all (accept_ra). The kernel itself passes only what can matter, so that a
# full table of routes that comes and goes wakes nobody. Arguments: the network's assembled file, and the protocols of our routes.
use strict;
use warnings;
use Socket qw(:DEFAULT inet_pton SO_ATTACH_FILTER MSG_DONTWAIT);
use Errno;

my ($wanted, @protocols) = @ARGV;
my %group = (LINK => 1, NEIGH => 3, IPV4_IFADDR => 5, IPV4_ROUTE => 7, IPV6_IFADDR => 9, IPV6_ROUTE => 11, IPV4_NETCONF => 24, IPV6_NETCONF => 25);
my ($NEWLINK, $DELLINK, $DELADDR, $DELROUTE, $NEWNEIGH, $DELNEIGH, $NETCONF) = (16, 17, 21, 25, 28, 29, 80);
my $PERMANENT = 0x80;
my $little = unpack("C", pack("S", 1));

# Classic BPF. A message begins with a header of 16 bytes; its type is the two bytes at 4, in the machine's order, and below 256.
sub filter {
  my ($LOAD, $EQUAL, $ANY, $RETURN) = (0x30, 0x15, 0x45, 0x06);
  my (@accept, @program) = ();
  my $load = sub { push @program, [$LOAD, 0, 0, $_[0]] };
  my $accept = sub { push @program, [$_[0], 'accept', 0, $_[1]] };
  # unless: how many of the next steps are left out.
  my $unless = sub { push @program, [$EQUAL, 0, $_[1], $_[0]] };
  my $type = sub { $load->($little ? 4 : 5) };
  $type->();
  $accept->($EQUAL, $_) for $DELADDR, $DELNEIGH, $NETCONF, 2;
  # Of a bridge's ports its own messages do not matter: family 0 alone.
  for my $link ($NEWLINK, $DELLINK) { $unless->($link, 3); $load->(16); $accept->($EQUAL, 0); push @program, [$RETURN, 0, 0, 0] }
  $unless->($DELROUTE, @protocols + 2); $load->(21); $accept->($EQUAL, $_) for @protocols; push @program, [$RETURN, 0, 0, 0];
  $unless->($NEWNEIGH, 3); $load->($little ? 24 : 25); $accept->($ANY, $PERMANENT); push @program, [$RETURN, 0, 0, 0];
  push @program, [$RETURN, 0, 0, 0], [$RETURN, 0, 0, 0xffffffff];
  for my $at (0 .. $#program) { $program[$at][1] = $#program - $at - 1 if $program[$at][1] eq 'accept' }
  return join '', map { pack("SCCL", @$_) } @program;
}

socket(my $kernel, 16, SOCK_RAW, 0) or die "no netlink: $!\n";
my $program = filter();
setsockopt($kernel, SOL_SOCKET, SO_ATTACH_FILTER, pack("S x![P] P", length($program) / 8, $program)) or die "no filter: $!\n";
my $groups = 0;
$groups |= 1 << ($_ - 1) for values %group;
bind($kernel, pack("S x2 L L", 16, 0, $groups)) or die "no netlink: $!\n";
my $bit = '';
vec($bit, fileno($kernel), 1) = 1;
$| = 1;

# Of the thousands of neighbors that come and go as somebody scans a network only ours matter.
my ($stamp, %ours) = ('');
sub neighbors {
  my $now = join ' ', (stat $wanted)[0, 1, 9];
  return if $now eq $stamp;
  $stamp = $now;
  %ours = ();
  open my $file, '<', $wanted or return;
  while (<$file>) {
    my ($kind, undef, $address) = split ' ';
    next unless defined $address && $kind eq 'neighbor';
    my $packed = inet_pton($address =~ /:/ ? AF_INET6 : AF_INET, $address);
    $ours{$packed} = 1 if defined $packed;
  }
}

# matters MESSAGE: its header, 12 bytes of a neighbor, and as its first attribute which one.
sub matters {
  my ($type) = unpack 'x4 S', $_[0];
  return 1 unless $type == $NEWNEIGH || $type == $DELNEIGH;
  my ($length, $kind) = unpack 'x28 S S', $_[0];
  return 1 unless $kind == 1;
  return $ours{substr $_[0], 32, $length - 4};
}

# All that has been told so far. What did not fit into the kernel's queue may have been anything.
sub drain {
  my $found = 0;
  neighbors();
  while (1) {
    my $from = recv $kernel, my $message, 65536, MSG_DONTWAIT;
    if (defined $from) { $found ||= matters($message); next }
    next if $!{EINTR};
    return 1 if $!{ENOBUFS};
    return $found if $!{EAGAIN};
    die "netlink: $!\n";
  }
}

my $again = 60;
while (1) {
  my ($ready, $left) = select(my $in = $bit, undef, undef, $again);
  next if $ready < 0;
  my $found = 0;
  if ($ready > 0) {
    # What belongs together comes together.
    select undef, undef, undef, 0.05;
    $found = drain();
    $again = $left - 0.05;
    next unless $found || $again <= 0;
  }
  print "links\n";
  $again = $found ? 1 : 60;
  select undef, undef, undef, 0.45;
}
