"""Prints a private key of the curve secp256k1 in hexadecimal: any number from one to below the order of its group."""

import secrets

ORDER = 0xFFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFE_BAAEDCE6_AF48A03B_BFD25E8C_D0364141

print(f"{1 + secrets.randbelow(ORDER - 1):064x}")
