// DHCP messages as tests describe them, frame by frame: what a client would never send.

import { type Guest, lab } from "./lab.ts";

interface Common {
  /** The network card of which the message speaks, if not the sender's own. */
  card?: string;
  /** A relay's message, about a client in the network of this address. */
  relayed?: string;
  /** How long an answer is waited for, in seconds. Default 0.5. */
  wait?: number;
}

export interface Message6 extends Common {
  /** RFC 8415 section 7.3. */
  type: number;
  duid?: string;
  iaid?: number | undefined;
  address?: string;
  /** The link-local address from which it comes. Default: that made of the sender's network card. */
  source?: string;
  /** The client identifier: first, behind the elapsed time, or behind all else. */
  place?: "first" | "second" | "last";
  /** In hexadecimal. */
  server?: string;
}

export interface Message4 extends Common {
  /** RFC 2132 section 9.6. */
  type4: number;
  /** The network card in the client identifier. */
  client?: string;
  /** The address that it has. */
  has?: string;
  /** The address that it asks for, or declines. */
  asks?: string;
  server?: string;
}

/** A neighbor solicitation for the router's address, which says that the source is this card's. */
export interface Solicitation {
  solicits: string;
  source: string;
  card: string;
}

const SCRIPT = String.raw`
import json, os, socket, struct, sys, time
own = open("/sys/class/net/eth0/address").read().strip()
raw = lambda text: bytes.fromhex(text.replace(":", ""))
six = lambda text: socket.inet_pton(socket.AF_INET6, text)
link = six("fe80::")[:8] + bytes([raw(own)[0] ^ 2]) + raw(own)[1:3] + b"\xff\xfe" + raw(own)[3:]
option = lambda code, value: struct.pack("!HH", code, len(value)) + value
option4 = lambda code, value: bytes([code, len(value)]) + value
wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)); wire.bind(("eth0", 3)); wire.settimeout(0.05)

def checked(pseudo, text, at):
    words = pseudo + text + bytes(len(text) % 2)
    total = sum(struct.unpack("!%dH" % (len(words) // 2), words))
    while total >> 16: total = (total & 0xffff) + (total >> 16)
    return text[:at] + struct.pack("!H", ~total & 0xffff or 0xffff) + text[at + 2:]

def send6(source, to, kind, text, at):
    text = checked(source + to + struct.pack("!II", len(text), kind), text, at)
    wire.send(b"\x33\x33" + to[-4:] + raw(own) + struct.pack("!HIHBB", 0x86dd, 6 << 28, len(text), kind, 255) + source + to + text)

def solicit(solicits, source, card):
    to = six("ff02::1:ff00:0")[:13] + six(solicits)[13:]
    send6(six(source), to, 58, struct.pack("!BBHI", 135, 0, 0, 0) + six(solicits) + b"\x01\x01" + raw(card), 2)

def message6(type, card=own, duid=None, iaid=7, address=None, source=None, place="first", server=None, relayed=None, wait=0.5):
    xid = os.urandom(3)
    client = option(1, raw(duid or "00:03:00:01:" + card))
    elapsed = option(8, bytes(2))
    rest = option(2, raw(server)) if server else b""
    lease = option(5, six(address) + bytes(8)) if address else b""
    rest += option(6, bytes([0, 23])) if type == 11 else option(3, struct.pack("!III", iaid, 0, 0) + lease)
    text = {"first": client + elapsed + rest, "second": elapsed + client + rest, "last": elapsed + rest + client}[place]
    text = bytes([type]) + xid + text
    source = six(source) if source else link
    if relayed: text = bytes([12, 0]) + six(relayed) + source + option(79, b"\x00\x01" + raw(card)) + option(9, text)
    send6(source, six("ff02::1:2"), 17, struct.pack("!HHHH", 546, 547, 8 + len(text), 0) + text, 6)
    def options(text):
        while len(text) >= 4:
            code, length = struct.unpack("!HH", text[:4])
            yield code, text[4:4 + length]
            text = text[4 + length:]
    def said(text):
        for code, value in options(text):
            if code == 2: yield "from " + value.hex()
            if code == 13 and value[:2] != b"\x00\x00": yield "status " + str(value[1])
            if code == 5: yield socket.inet_ntop(socket.AF_INET6, value[:16])
            if code == 3: yield from said(value[12:])
    def heard(packet):
        if packet[40:44] == struct.pack("!HH", 547, 546) and packet[49:52] == xid: return " ".join([str(packet[48]), *said(packet[52:])])
    return answer(heard, wait)

def message4(type4, card=own, client=None, has="0.0.0.0", asks=None, server=None, relayed="0.0.0.0", wait=0.5):
    xid = os.urandom(4)
    four = socket.inet_aton
    text = option4(53, bytes([type4])) + option4(61, b"\x01" + raw(client or card))
    if asks: text += option4(50, four(asks))
    if server: text += option4(54, four(server))
    text = bytes([1, 1, 6, 0]) + xid + bytes(4) + four(has) + bytes(8) + four(relayed) + raw(card) + bytes(202) + raw("63825363") + text + b"\xff"
    text = struct.pack("!HHHH", 68, 67, 8 + len(text), 0) + text
    text = checked(four(has) + b"\xff" * 4 + struct.pack("!HH", 17, len(text)), text, 6)
    head = checked(b"", struct.pack("!BBHHHBBH", 69, 0, 20 + len(text), 1, 0, 64, 17, 0) + four(has) + b"\xff" * 4, 10)
    wire.send(b"\xff" * 6 + raw(own) + b"\x08\x00" + head + text)
    def heard(packet):
        if packet[20:24] == struct.pack("!HH", 67, 68) and packet[32:36] == xid: return str(packet[270]) + " " + socket.inet_ntoa(packet[44:48])
    return answer(heard, wait)

def answer(heard, wait):
    end = time.time() + wait
    while time.time() < end:
        try: found = heard(wire.recv(2000)[14:])
        except OSError: continue
        if found: return found
    return "nothing"

for it in json.loads(sys.argv[1]):
    print(solicit(**it) if "solicits" in it else message4(**it) if "type4" in it else message6(**it))
`;

/** Sends them one after another, and says of each what came back: type, status, addresses. */
export async function dhcp(guest: Guest, ...messages: (Message6 | Message4 | Solicitation)[]): Promise<string[]> {
  const { stdout } = await lab.exec(guest, ["python3", "-", JSON.stringify(messages)], { input: SCRIPT });
  return stdout.trim().split("\n");
}
