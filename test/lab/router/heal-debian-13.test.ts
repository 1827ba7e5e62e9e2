// The router heals itself on Debian 13 too, whose networkd takes more away (systemd 257) and whose nft is told otherwise what to watch (1.1.3).

process.env.VPC6_LAB_ROUTERS ??= "trixie";
await import("./heal.test.ts");

export {};
