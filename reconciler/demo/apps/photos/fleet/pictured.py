"""The smallest thing that begins and ends as a JPEG does."""

PICTURE = bytes.fromhex("ffd8ffe000104a46494600010100000100010000ffd9")
