#!/usr/bin/env perl
# A phone of Net::SIP: registers, calls 600, speaks a tone as PCMU, writes down what it hears.
#
#   net_sip_echo.pl SERVER USER SECRET SAYS.ulaw HEARD.ulaw SECONDS
use strict;
use warnings;
use Net::SIP;

my ($server, $user, $secret, $says, $heard, $seconds) = @ARGV;
my $phone = Net::SIP::Simple->new(
    registrar => $server,
    domain    => $server,
    from      => $user,
    auth      => [$user, $secret],
    leg       => '127.0.0.1',
);
defined $phone->register(expires => 300) or die 'not registered: ' . $phone->error . "\n";
print "registered\n";

my $ended;
my $call = $phone->invite(
    "sip:600\@$server",
    init_media => $phone->rtp('send_recv', $says, -1, $heard),
    recv_bye   => \$ended,
) or die 'no call: ' . $phone->error . "\n";
die 'refused: ' . $call->error . "\n" if $call->error;
print "answered\n";

my $over;
$phone->add_timer($seconds, sub { $over = 1 });
$phone->loop(\$over, \$ended);
if (!$ended) {
    my $closed;
    $call->bye(cb_final => \$closed);
    $phone->loop(5, \$closed);
    die "the BYE was not answered\n" unless $closed;
}
print "ended\n";
