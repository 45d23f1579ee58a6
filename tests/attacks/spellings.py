"""Addresses that nothing may be sent to, in every spelling that some parser takes for one."""

# host as in a URL -> what it is, in words of the refusal. Literal: refused when saved, and when sent.
LITERAL = {
    # Loopback, as inet_aton reads it: fewer parts, octal, hex, one number.
    "127.0.0.1": "loopback", "127.1": "loopback", "127.0.1": "loopback", "2130706433": "loopback",
    "0x7f000001": "loopback", "0x7f.1": "loopback", "0X7F.0.0.1": "loopback", "0x7F.0x0.0x0.0x1": "loopback",
    "017700000001": "loopback", "0177.0.0.1": "loopback", "0177.1": "loopback", "127.0x0.0.1": "loopback",
    "00000177.0.0.1": "loopback", "127.0.0.1.": "loopback", "127.127.127.127": "loopback",
    # In other scripts: fullwidth, circled and raised digits; ideographic full stops.
    "127。0。0。1": "loopback", "127\uff0e0\uff0e0\uff0e1": "loopback", "127\uff610\uff610\uff611": "loopback",
    "\uff11\uff12\uff17.0.0.1": "loopback", "①②⑦.⓪.⓪.①": "loopback", "¹²⁷.0.0.1": "loopback",
    "𝟏𝟐𝟕.𝟎.𝟎.𝟏": "loopback", "\uff10\uff58\uff17\uff46.1": "loopback", "127.0.0.1。": "loopback",
    # This host itself.
    "0": "this host", "0.0.0.0": "this host", "0x0": "this host", "0x": "this host", "0.1.2.3": "this host",
    # Private networks.
    "10.0.0.5": "private", "167772165": "private", "012.0.0.5": "private", "0xa.5": "private",
    "192.168.1.1": "private", "0xc0a80101": "private", "3232235777": "private", "172.16.0.1": "private",
    "172.31.255.254": "private", "030052000001": "private",
    # Metadata of clouds, and what lies beside it.
    "169.254.169.254": "metadata", "2852039166": "metadata", "0xa9fea9fe": "metadata",
    "0251.0376.0251.0376": "metadata", "169.254.43518": "metadata", "169.0xfea9fe": "metadata",
    "169.254.170.2": "metadata", "100.100.100.200": "carrier", "168.63.129.16": "Azure",
    "0xA83F8110": "Azure", "192.0.0.192": "protocols", "192.0.0.170": "protocols",
    # The rest of what is not public.
    "100.64.0.1": "carrier", "192.88.99.1": "6to4", "192.31.196.1": "AS112", "192.175.48.42": "AS112",
    "192.52.193.1": "multicast", "198.18.0.1": "benchmarks", "198.19.255.254": "benchmarks",
    "192.0.2.1": "documentation", "198.51.100.1": "documentation", "203.0.113.1": "documentation",
    "224.0.0.1": "multicast", "239.255.255.250": "multicast", "240.0.0.1": "reserved",
    "255.255.255.255": "reserved", "4294967295": "reserved",
    # IPv6.
    "[::1]": "loopback", "[0:0:0:0:0:0:0:1]": "loopback", "[0000::0001]": "loopback", "[::]": "this host",
    "[fe80::1]": "link-local", "[fe80::1%eth0]": "zone", "[fe80::1%25eth0]": "zone", "[::1%25lo]": "zone",
    "[fc00::1]": "private", "[fd00:ec2::254]": "private", "[fd20:ce::254]": "private", "[fec0::1]": "private",
    "[ff02::1]": "multicast", "[2001:db8::1]": "documentation", "[3fff::1]": "documentation",
    "[2001::1]": "Teredo", "[2001:10::1]": "ORCHID", "[2001:1ff:ffff::1]": "protocols",
    "[2002:808:808::1]": "6to4", "[2620:4f:8000::1]": "AS112", "[100::1]": "not a public",
    "[5f00::1]": "not a public", "[4000::1]": "not a public", "[64:ff9b:1::a00:5]": "not a public",
    # IPv4 within IPv6: mapped, translated, compatible, NAT64, 6to4, Teredo, ISATAP.
    "[::ffff:127.0.0.1]": "loopback", "[::ffff:7f00:1]": "loopback", "[0:0:0:0:0:FFFF:10.0.0.1]": "private",
    "[::ffff:169.254.169.254]": "metadata", "[::ffff:0:10.0.0.1]": "not a public",
    "[::127.0.0.1]": "not a public", "[::7f00:1]": "not a public", "[64:ff9b::169.254.169.254]": "metadata",
    "[64:ff9b::a00:5]": "private", "[2002:7f00:1::]": "6to4", "[2002:a9fe:a9fe::1]": "6to4",
    "[2001:0:a9fe:a9fe::1]": "Teredo", "[2a00:1450::5efe:a00:5]": "private",
    "[2a00:1450::200:5efe:169.254.169.254]": "metadata",
    # Names that are addresses, or that lead inside only.
    "localhost": "loopback", "LOCALHOST": "loopback", "localhost.": "loopback", "foo.localhost": "loopback",
    "ⓛocalhost": "loopback", "loc\uff41lhost": "loopback", "a.b.LocalHost.": "loopback",
    "metadata.google.internal": "private networks", "METADATA.google.internal.": "private networks",
    "metadata": "private networks", "instance-data": "private networks", "instance-data.ec2.internal": "private networks",
    "ip6-localhost": "private networks", "printer.local": "private networks", "nas.home.arpa": "private networks",
    "localhost.localdomain": "private networks", "kubernetes": "private networks",
    # Our own public host.
    "portal.example": "portal itself", "PORTAL.example.": "portal itself", "portal。example": "portal itself",
    "\uff50ortal.example": "portal itself",
}  # fmt: skip

# What cannot be read as a host at all, or could be read as two.
UNREADABLE = (
    "%31%32%37.0.0.1", "127.0.0.1%2f.example.com", "127.0.0.1%00.example.com", "example.com%00.127.0.0.1",
    "example.com@127.0.0.1", "127.0.0.1@example.com", "user:pass@127.0.0.1", "@127.0.0.1",
    "example.com\\@127.0.0.1", "127.0.0.1\\.example.com", "127.0.0.1\t", "127.0.\n0.1", "exa\u200bmple.com",
    "127.0.0.1..", "127.0.0.1。。", ".127.0.0.1", "127..0.1", "127.0.0.0.1", "127.0.0.256", "0x7f.0x1.0x100.1",
    "08.0.0.1", "4294967296", "0x100000000", "example.127", "[127.0.0.1]", "[::1", "::1", "[::1]x", "[::g]",
    "[::ffff:127.0.0.1.]", "[::1].example.com", "127.0.0.1:80:80", "127.0.0.1:8x", "example.com\uff0f@127.0.0.1",
    "example.com\uff20127.0.0.1", "example.com\uff03.127.0.0.1", "example.com℀127.0.0.1", "", " ", "*", "a b",
    "exa$mple.com", "-example.com", "example-.com", "a" * 64 + ".com", "xn--\u2603.example", "☃.example",
)  # fmt: skip

# Public names, saved like any other; what they resolve to is judged when something is sent.
NAMES = {
    "127.0.0.1.nip.io": ["127.0.0.1"],
    "169-254-169-254.sslip.io": ["169.254.169.254"],
    "0x7f000001.nip.io": ["127.0.0.1"],
    "localtest.me": ["127.0.0.1", "::1"],
    "lvh.me": ["127.0.0.1"],
    "inside.shop.example": ["10.0.0.5"],
    "metadata.shop.example": ["169.254.169.254"],
    "azure.shop.example": ["168.63.129.16"],
    "mapped.shop.example": ["::ffff:169.254.169.254"],
    "nat64.shop.example": ["64:ff9b::7f00:1"],
    "sixtofour.shop.example": ["2002:7f00:1::1"],
    "teredo.shop.example": ["2001:0:a9fe:a9fe::1"],
    "isatap.shop.example": ["2a00:1450::5efe:10.0.0.5"],
    "linklocal.shop.example": ["fe80::1%eth0"],
    "self.shop.example": ["::"],
    "zero.shop.example": ["0.0.0.0"],
    "good-then-bad.shop.example": ["8.8.8.8", "10.0.0.5"],
    "bad-then-good.shop.example": ["10.0.0.5", "8.8.8.8"],
    "good-and-ula.shop.example": ["8.8.8.8", "2606:4700::1111", "fd00::1"],
    "many.shop.example": [f"8.8.{n // 250}.{n % 250}" for n in range(500)] + ["192.168.0.1"],
    "nonsense.shop.example": ["not an address"],
    "octal.shop.example": ["0177.0.0.1"],
}
