#!/usr/bin/perl -T
# The password server of one gateway, socket-activated, without any privilege: a guest asks who it is told to be by its source address
# (CloudStack's guest protocol, docs/passwords.md). It knows the guests of this gateway only. One process, no child, no shell; what a
# peer can make it hold is bounded: bytes, seconds, connections. It goes when nobody has asked for a while.

use strict;
use warnings;
use Socket qw(:DEFAULT inet_pton);
use IO::Handle;
use Errno qw(EAGAIN EWOULDBLOCK EINTR);

my $CALM = 30;         # seconds without a connection after which it goes
my $PATIENCE = 5;      # seconds that a request may take, and its answer
my $LONGEST = 4096;    # bytes of a request
my $EACH = 8;          # connections of one address at a time
my $ALL = 256;         # connections at a time; the oldest makes room

# What a resource is filed under.
my $ID = '@ID@';

my ($states) = ($ENV{STATE_DIRECTORY} // '') =~ m{^(/.+)$} or die "no state directory\n";
my %guests = guests("$ENV{CREDENTIALS_DIRECTORY}/passwords");
open my $door, '+<&=', 3 or die "no socket: $!\n";
$door->blocking(0);

my $ending = 0;
$SIG{TERM} = sub { $ending = 1 };
$SIG{PIPE} = 'IGNORE';

my %talks;
my $count = 0;
serve();

# Lines `ID ADDRESS PASSWORD`, by the address as the kernel has it.
sub guests {
  my ($file) = @_;
  my %found;
  open my $table, '<', $file or die "$file: $!\n";
  while (my $line = <$table>) {
    my ($id, $address, $password) = $line =~ /^($ID) ([0-9a-f:.]+) (\S+)$/ or next;
    my $bytes = inet_pton($address =~ /:/ ? AF_INET6 : AF_INET, $address) or next;
    $found{$bytes} = { id => $id, password => $password };
  }
  return %found;
}

sub serve {
  my $quiet = time + $CALM;
  until ($ending && !%talks) {
    my ($reads, $writes) = ('', '');
    vec($reads, fileno $door, 1) = 1 unless $ending;
    vec($_->{phase} eq 'answer' ? $writes : $reads, $_->{number}, 1) = 1 for values %talks;
    my $ready = select $reads, $writes, undef, 1;
    ($reads, $writes) = ('', '') if $ready <= 0;
    my $now = time;
    for my $talk (values %talks) {
      $talk->{until} = $now + 1 if $ending && $talk->{until} > $now + 1;
      if ($now > $talk->{until}) { hang_up($talk) }
      elsif (vec $writes, $talk->{number}, 1) { speak($talk) }
      elsif (vec $reads, $talk->{number}, 1) { hear($talk) }
    }
    welcome() if !$ending && vec $reads, fileno $door, 1;
    $quiet = $now + $CALM if %talks;
    return if $now > $quiet;
  }
}

sub welcome {
  for (1 .. 64) {
    my $from = accept(my $peer, $door) or return;
    $peer->blocking(0);
    my $address = (sockaddr_family($from) == AF_INET6 ? unpack_sockaddr_in6($from) : unpack_sockaddr_in($from))[1];
    my @of_it = grep { $_->{address} eq $address } values %talks;
    next if @of_it >= $EACH;
    if (keys %talks >= $ALL) {
      my ($oldest) = sort { $a->{order} <=> $b->{order} } values %talks;
      hang_up($oldest);
    }
    my $number = fileno $peer;
    $talks{$number} = {
      peer => $peer, number => $number, address => $address, order => $count++,
      phase => 'request', until => time + $PATIENCE, in => '', out => '', spare => 65536,
    };
  }
}

sub hang_up {
  my ($talk) = @_;
  delete $talks{ $talk->{number} };
  close $talk->{peer};
}

sub hear {
  my ($talk) = @_;
  my $read = sysread $talk->{peer}, my ($bytes), $LONGEST;
  return if !defined $read && ($!{EAGAIN} || $!{EWOULDBLOCK} || $!{EINTR});
  return hang_up($talk) unless $read;
  if ($talk->{phase} eq 'rest') {
    # A peer that is hung up on with words unread may lose the answer.
    $talk->{spare} -= $read;
    hang_up($talk) if $talk->{spare} < 0;
    return;
  }
  $talk->{in} .= $bytes;
  my $asked = asked($talk->{in}) // return;
  $talk->{in} = '';
  $talk->{out} = reply($asked, $guests{ $talk->{address} });
  $talk->{phase} = 'answer';
  speak($talk);
}

sub speak {
  my ($talk) = @_;
  my $written = syswrite $talk->{peer}, $talk->{out};
  return if !defined $written && ($!{EAGAIN} || $!{EWOULDBLOCK} || $!{EINTR});
  return hang_up($talk) unless $written;
  substr($talk->{out}, 0, $written) = '';
  return if $talk->{out} ne '';
  shutdown $talk->{peer}, 1;
  $talk->{phase} = 'rest';
  $talk->{until} = time + 2;
}

# What a request asks for: a word of the protocol, `wrong` for a request that is none of it, `malformed` for what is no request;
# nothing while it is not all there. Strict where leniency would help nobody but an attacker.
sub asked {
  my ($text) = @_;
  my ($head) = $text =~ /\A(.*?\n)\r?\n/s;
  return length $text >= $LONGEST ? 'malformed' : undef if !defined $head;
  my ($first, @lines) = split /\r?\n/, $head;
  return 'malformed' if length $head > $LONGEST || @lines > 32 || $head =~ /[^\t\r\n -~]/ || $head =~ /\r(?!\n)/;
  return 'malformed' unless ($first // '') =~ m{^([A-Z]{1,10}) (\S+) HTTP/1\.[01]$};
  my $wrong = $1 ne 'GET' || $2 ne '/';
  my @words;
  for my $line (@lines) {
    my ($name, $value) = $line =~ /^([A-Za-z0-9!#\$%&'*+.^_`|~-]+):[ \t]*(.*?)[ \t]*$/ or return 'malformed';
    $name = lc $name;
    push @words, $value if $name eq 'domu_request';
    # No body, and nobody in between who may ask for others.
    $wrong = 1 if $name =~ /^(?:transfer-encoding|forwarded|x-forwarded-for|via)$/;
    $wrong = 1 if $name eq 'content-length' && $value ne '0';
  }
  return 'wrong' if $wrong || @words != 1 || $words[0] !~ /^(?:send_my_password|saved_password)$/;
  return $words[0];
}

sub reply {
  my ($asked, $guest) = @_;
  return page('400 Bad Request', 'bad_request') if $asked eq 'malformed';
  # As CloudStack's: what its clients look at is the text.
  return page('200 OK', 'bad_request') if $asked eq 'wrong';
  return page('200 OK', '') unless $guest;
  my ($state, $current) = state_of($guest);
  if ($asked eq 'send_my_password') {
    return page('200 OK', 'saved_password') if $current && $state eq 'saved';
    $current or note($guest, 'sent') or return page('500 Internal Server Error', '');
    print STDERR "$guest->{id}: password sent\n";
    return page('200 OK', $guest->{password});
  }
  # An acknowledgement is of what was sent: another password may have taken its place since.
  return page('200 OK', 'bad_request') unless $current;
  if ($state ne 'saved') {
    note($guest, 'saved') or return page('500 Internal Server Error', '');
    print STDERR "$guest->{id}: password acknowledged\n";
  }
  return page('200 OK', 'saved_password');
}

sub page {
  my ($status, $text) = @_;
  return join "\r\n", "HTTP/1.1 $status", 'Content-Type: text/plain', 'Content-Length: ' . length $text,
    'Cache-Control: no-store', 'Connection: close', '', $text;
}

# How far a guest has come, `sent` or `saved`, and whether that was with the password it has now (a salted hash tells). From the disk
# each time: it may have asked at its other gateway address.
sub state_of {
  my ($guest) = @_;
  open my $file, '<', "$states/$guest->{id}" or return ('', 0);
  my ($state, $hash) = (<$file> // '') =~ /^(sent|saved) (\S+)$/ or return ('', 0);
  return ($state, (crypt($guest->{password}, $hash) // '') eq $hash);
}

# On the disk before anybody is told.
sub note {
  my ($guest, $state) = @_;
  my $new = "$states/.$guest->{id}.$$";
  my $done = eval {
    open my $random, '<:raw', '/dev/urandom' or die "/dev/urandom: $!\n";
    sysread($random, my $salt, 12) == 12 or die "/dev/urandom: too short\n";
    my $hash = crypt $guest->{password}, '$6$rounds=1000$' . unpack 'H*', substr $salt, 0, 8;
    open my $file, '>', $new or die "$new: $!\n";
    print {$file} "$state $hash\n" or die "$new: $!\n";
    $file->flush && $file->sync && close $file or die "$new: $!\n";
    rename $new, "$states/$guest->{id}" or die "$new: $!\n";
    if (open my $folder, '<', $states) { $folder->sync }
    1;
  };
  print STDERR "$guest->{id}: cannot be noted: $@" unless $done;
  unlink $new unless $done;
  return $done;
}
__END__
