import * as pulumi from "@pulumi/pulumi";
import { tierPrefixes } from "../provider/addressing/reading";
import { formerNames } from "./claims";
import { given, inWords, isKind, listed, object, refuseForeign } from "./copies";
import { grant } from "./grant";
import type { Instance } from "./instance";
import { refusal } from "./refusal";
import { Resource } from "./resource";
import type { Vpc } from "./vpc";

/** Who answers for the virtual address: a guest of the VPC, or anybody by address. */
export interface MemberArgs {
  /** An instance of the same VPC, reached at its IPv6 address, or over IPv4 where it has `ipv6: false`. This or `address`. */
  instance?: Instance;
  /**
   * An IPv6 or IPv4 address that the router can reach: an IPv4-only server, another site. Inside the VPC's own prefix it must be
   * in a tier. This or `instance`.
   */
  address?: pulumi.Input<string>;
  port: pulumi.Input<number>;
  /** Its share of the load compared with the others', 0 (none) to 256. Default: 1. */
  weight?: pulumi.Input<number>;
}

export interface HealthArgs {
  /** A path that must answer 2xx or 3xx, e.g. `"/healthz"`; over TLS in mode `ssl-passthrough`. Default: a TCP connection is enough. */
  http?: pulumi.Input<string>;
  /**
   * The `Host` to ask for, e.g. `"www.example.net"`, with `http`. The request is HTTP/1.1 then, and over TLS names it (SNI). Default: none, and HTTP/1.0.
   */
  host?: pulumi.Input<string>;
  /** How `http` is asked for. Default: `GET`. */
  method?: pulumi.Input<"GET" | "HEAD" | "OPTIONS">;
  /** What `http` must answer: `204`, `"200-299"`, `"200,301-302"`. Default: 2xx or 3xx. */
  status?: pulumi.Input<string | number>;
  /** Seconds between two checks, 1 to 3600. Default: 2. */
  interval?: pulumi.Input<number>;
}

/** A certificate for TLS that ends on the router. */
export interface TlsArgs {
  /** In PEM, the server's own first, then the intermediate ones. Another one is a reload, which drops no connection. */
  certificate: pulumi.Input<string>;
  /** Its key in PEM, without a passphrase. A secret: it is in the state encrypted, and on the router for root only. */
  privateKey: pulumi.Input<string>;
}

export interface LoadBalancerArgs {
  vpc: Vpc;
  /** The port at the virtual address. */
  port: pulumi.Input<number>;
  /**
   * `tcp`: connections are passed on as they are. `http`: requests are, with the client's address in `X-Forwarded-For`.
   * `ssl-passthrough`: TLS connections are, and nothing else; the members have the certificates, the router has none.
   */
  mode: pulumi.Input<"tcp" | "http" | "ssl-passthrough">;
  /** Who gets the next connection: in turn, who has fewest, or always the same for one client. Default: `roundrobin`. */
  algorithm?: pulumi.Input<"roundrobin" | "leastconn" | "source">;
  /** How a member is known to be alive. Default: `"tcp"`, every 2 seconds. */
  health?: pulumi.Input<"tcp" | HealthArgs>;
  /**
   * TLS ends here (TLS 1.2 or later; HTTP/2 in mode `http`), and the members are spoken to in the clear. In mode `http` they are told by
   * `X-Forwarded-Proto: https`. Not in mode `ssl-passthrough`. Default: no TLS.
   */
  tls?: TlsArgs;
  /** Tell the members who the client is by the PROXY protocol, version 2. They must expect it. Default: false. */
  proxyProtocol?: pulumi.Input<boolean>;
  /** None is allowed: HTTP clients get 503 then, others a closed connection. */
  members: MemberArgs[];
  /** Who may connect: prefixes or addresses, e.g. `["2001:db8:7::/48", "2001:db8:8::25"]`. Default: everybody. */
  sources?: pulumi.Input<pulumi.Input<string>[]>;
  /**
   * The virtual address, `::80` to `::ffff` of the VPC's first /64, if not the first free one, in the order of names (a plain value); or another
   * LoadBalancer, whose address this one shares with another port.
   */
  address?: string | LoadBalancer;
  /** The name in the VPC's ledger. Default: the resource's name. A plain value. */
  claim?: string;
}

const OUTPUTS = ["address", "port", "router"];

/**
 * One address in front of many: HAProxy on the VPC's router. Members may be IPv6 or IPv4. Adding or removing one reloads, and
 * drops no connection.
 *
 * ```ts
 * const www = new vpc6.LoadBalancer("www", { vpc: shop, port: 80, mode: "http", members: [{ instance: web1, port: 8080 }] });
 * ```
 *
 * The same address with another port, for TLS that ends at the members:
 *
 * ```ts
 * new vpc6.LoadBalancer("www-tls", {
 *   vpc: shop, address: www, port: 443, mode: "ssl-passthrough", members: [{ instance: web1, port: 8443 }],
 * });
 * ```
 *
 * TLS that ends on the router:
 *
 * ```ts
 * new vpc6.LoadBalancer("shop", {
 *   vpc: shop, port: 443, mode: "http", members: [{ instance: web1, port: 8080 }],
 *   tls: { certificate: fs.readFileSync("shop.pem", "utf8"), privateKey: config.requireSecret("shopKey") },
 * });
 * ```
 *
 * An IPv4-only guest of a dual-stack tier, for IPv6 clients:
 *
 * ```ts
 * const old1 = new vpc6.Instance("old1", { tier: web, mac: "02:00:00:00:01:99", ipv6: false });
 * new vpc6.LoadBalancer("old", { vpc: shop, port: 80, mode: "http", members: [{ instance: old1, port: 80 }] });
 * ```
 *
 * An IPv4-only server elsewhere, for IPv6 clients of two networks:
 *
 * ```ts
 * new vpc6.LoadBalancer("legacy", {
 *   vpc: shop, port: 80, mode: "http", members: [{ address: "192.0.2.80", port: 80 }], sources: ["2001:db8::/32", "2001:67c::/32"],
 * });
 * ```
 */
export class LoadBalancer extends Resource {
  /** The virtual address. */
  declare readonly address: pulumi.Output<string>;
  declare readonly port: pulumi.Output<number>;
  declare readonly router: Vpc["router"];
  /** @internal All that share the virtual address, in the order of the program. */
  readonly together: { name: string; port: pulumi.Input<number> }[];

  /** Whether it is a LoadBalancer, of this or another copy of the package. */
  static override isInstance(value: unknown): value is LoadBalancer {
    return isKind(value, "LoadBalancer");
  }

  constructor(name: string, args: LoadBalancerArgs, opts?: pulumi.CustomResourceOptions) {
    const {
      vpc,
      claim = name,
      address,
      members,
      tls,
      ...rest
    } = object(args, `LoadBalancer "${name}": its second argument`);
    given(vpc, `LoadBalancer "${name}": vpc`, "Vpc");
    const at = (path: string) => `LoadBalancer "${name}": ${path}`;
    for (const [index, member] of listed(members, at("members")).entries()) {
      const { instance } = object(member, at(`members[${index}]`));
      if (instance) given(instance, at(`members[${index}].instance`), "Instance");
    }
    if (tls) object(tls, at("tls"));
    const { shared, explicit } = addressOf(address, at("address"));
    const asks = vpc.hasIpv6 && !shared;
    if (asks) vpc.claims.add({ kind: "vip", name: claim, was: formerNames(name, opts), value: explicit });
    const together = shared?.together ?? [];
    const props = {
      ...rest,
      claim,
      address: explicit,
      grant: asks ? grant(vpc, "vip", { type: "LoadBalancer", name, claim, opts }) : undefined,
      shared: shared?.address,
      others: [...together],
      tls: tls && { ...tls, privateKey: pulumi.secret(tls.privateKey) },
      members: members.map(({ instance, ...member }) => ({
        ...member,
        ...(instance && {
          instance: {
            name: instance.ledgerName,
            address: instance.has.ipv6 ? instance.address : instance.ipv4Address,
            ours: instance.tier.vpc === vpc,
          },
        }),
      })),
      vpc: {
        cidr: vpc.cidr,
        // Under mocks there is no ledger.
        tiers: pulumi.output(vpc.ledger).apply((ledger) => (ledger === undefined ? [] : tierPrefixes(ledger))),
      },
      router: vpc.router,
    };
    super("LoadBalancer", name, OUTPUTS, props, opts);
    together.push({ name: claim, port: rest.port });
    this.together = together;
  }
}

/** Another's address, or one of its own; what is neither must not pass for "the first free one". */
function addressOf(address: LoadBalancerArgs["address"], where: string): { shared?: LoadBalancer; explicit?: string } {
  refuseForeign(address, where);
  if (address === undefined) return {};
  if (typeof address === "string") return { explicit: address };
  if (LoadBalancer.isInstance(address)) return { shared: address };
  throw refusal(`${where} is ${inWords(address)}; it must be an address as a plain text, or a LoadBalancer`);
}
