// Beginnings of programs that the tests of this folder share. Nobody answers at the router's address: these tests preview,
// or update zones only.

export const HOST_KEY = `SHA256:${"A".repeat(43)}`;

/** A zone with the given arguments and a router in it; what the test adds comes behind. */
export const program = (zone: string, rest = ""): string => `
import * as pulumi from "@pulumi/pulumi";
import * as vpc6 from "vpc6";
const zone = new vpc6.Zone("ams1", { ${zone} });
const router = new vpc6.Router("vr1", { zone, host: "192.0.2.1", hostKey: "${HOST_KEY}", publicInterface: "pub0" });
${rest}
`;

/** A zone alone. */
export const zoneOnly = (zone: string, rest = ""): string => `
import * as pulumi from "@pulumi/pulumi";
import * as vpc6 from "vpc6";
const zone = new vpc6.Zone("ams1", { ${zone} });
export const ledger = zone.ledger;
${rest}
`;

export const SUPER = `superCidr: "2001:67c:2834::/50"`;
