import { expect, test } from "vitest";
import { readWay, routerOf, writeWay } from "../../provider/way";

const hop = { host: "192.0.2.1", port: 22, user: "root", hostKey: `SHA256:${"A".repeat(43)}` };

test.each([
  { name: "vr1", ...hop },
  { name: "vr1", ...hop, host: "2001:db8::1", port: 2222, user: "ops" },
  { name: "vr1", ...hop, hostKey: `ssh-ed25519 ${"A".repeat(66)}==` },
  { name: "vr1", ...hop, proxy: { ...hop, host: "bastion.example.net", hostKey: `ssh-rsa ${"A".repeat(90)}=` } },
])("one line, and back: %o", (address) => {
  const line = writeWay(address);
  expect(line).not.toContain("\n");
  expect(readWay(line)).toEqual(address);
  expect(routerOf(line)).toBe("vr1");
});
