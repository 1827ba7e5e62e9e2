# On the router: says which stage a change is in, looked at every few milliseconds, with the time of each new one; and strikes, so long
# after a stage was first seen (or after the start), at the latest at a deadline. What the program on the router keeps anyway is enough to
# tell: generations/new while daemons are asked, `pending` while it switches or waits for its confirmation, `drift` while it compares.
#
# perl -e THIS STAGE|- DELAY DEADLINE COMMAND; DELAY and DEADLINE in seconds. Without a command whoever asked strikes, when told `struck`.

use strict;
use warnings;
use POSIX qw(uname);

# perl-base has no Time::HiRes any more: clock_gettime(2), by its number.
my $clock = (uname())[4] eq 'aarch64' ? 113 : 228;
sub now {
  my $time = pack 'q2', 0, 0;
  syscall $clock, 0, $time;
  my ($seconds, $nanoseconds) = unpack 'q2', $time;
  return $seconds + $nanoseconds / 1e9;
}

$| = 1;
my ($wanted, $delay, $deadline, $command) = @ARGV;
my $first = readlink('/etc/vpc6/confirmed') // '';
my $began = now;
my ($last, $struck) = ('', 0);
my %seen = ('-' => $began);

sub stage {
  if (open my $file, '<', '/run/vpc6/pending') {
    my ($word) = split ' ', <$file> // '';
    return $word eq 'waiting' ? 'confirmation' : 'switch' if defined $word;
  }
  return 'checks' if -e '/etc/vpc6/generations/new';
  return 'look' if -e '/run/vpc6/drift';
  return (readlink('/etc/vpc6/confirmed') // '') eq $first ? 'before' : 'after';
}

while (1) {
  my ($now, $stage) = (now, stage());
  $seen{$stage} //= $now;
  printf "%.3f %s\n", $now, $stage if $stage ne $last;
  $last = $stage;
  my $due = defined $seen{$wanted} && $now >= $seen{$wanted} + $delay;
  if (!$struck && ($due || $now >= $began + $deadline)) {
    $struck = 1;
    printf "%.3f struck\n", $now;
    if ($command ne '') {
      # Before there is a child: it may have ended when `fork` returns.
      $SIG{CHLD} = sub { waitpid -1, 0; print "done\n" };
      my $child = fork // die "fork: $!\n";
      exec 'sh', '-c', $command if $child == 0;
    }
  }
  select undef, undef, undef, 0.005;
}
