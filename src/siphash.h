/* SipHash-2-4 (Aumasson, Bernstein, 2012): a keyed hash of 64 bits, so that who does not know the
 * key can neither guess an input from its hash nor choose inputs that collide. */
#ifndef TA_SIPHASH_H
#define TA_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

#define SIPHASH_KEY_LEN 16

uint64_t siphash(const uint8_t key[SIPHASH_KEY_LEN], const void *p, size_t n);

#endif
