"""How large anything in a bundle may be; checked before a byte of it is parsed.

The numbers are arbitrary but generous: about ten times the largest model that was measured.
They bound what a hostile file can cost, not what a good model needs.
"""

MANIFEST_BYTES = 1 << 20
SIGNATURE_BYTES = 64  # an ed25519 signature is exactly this long
JSON_BYTES = 64 << 20
FILE_BYTES = 256 << 20
TOTAL_BYTES = 512 << 20
FILES = 64
TENSOR_HEADER_BYTES = 1 << 20

MEMBERS = 40
TREES = 20_000
NODES = 16_000_000  # of all members of a bundle
COLUMNS = 4_096  # that the encoder makes
CLASSES = 1_000
LAYERS = 20
TERMS = 50_000  # of a text plan
TEXT_CHARACTERS = 100_000  # that a text plan reads of one value

GOLDEN_ROWS = 200
GOLDEN_TOLERANCE = 1e-9  # the largest a bundle may ask for; the writer asks for 1e-12

NODES_OF_A_MEMBER = 1_000_000  # 16 MB: past the cache one row costs ten times as much
