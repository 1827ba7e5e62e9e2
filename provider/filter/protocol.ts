// What the protocols of a rule mean beyond their names.

export const ECHO_REQUEST = { icmpv6: 128, icmp: 8 };

/** ICMPv6 or the ICMP of IPv4. */
export const isIcmp = (protocol: string): protocol is "icmpv6" | "icmp" => protocol === "icmpv6" || protocol === "icmp";
