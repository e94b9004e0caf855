"""Prints a private key on the curve secp256k1: a random number from 1 to its order less 1, as 64 hexadecimal digits."""

import secrets

ORDER = 0xFFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFE_BAAEDCE6_AF48A03B_BFD25E8C_D0364141

print(f"{1 + secrets.randbelow(ORDER - 1):064x}")
