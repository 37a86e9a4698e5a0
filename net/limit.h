/* Token buckets for public keys: per store, per store and address, per store, address and day.
 * Fixed memory: addresses share a table, the least used entry of a set gives way. */
#ifndef NET_LIMIT_H
#define NET_LIMIT_H

#include <stddef.h>
#include <stdint.h>

struct limits;

/* Items per second and how many may come at once. */
#define LIMIT_STORE_RATE    1000
#define LIMIT_STORE_BURST   5000
#define LIMIT_ADDRESS_RATE  5
#define LIMIT_ADDRESS_BURST 120
#define LIMIT_ADDRESS_DAY   20000 /* items of one address in 24 hours */

struct limits *limits_new(void);
void limits_free(struct limits *l); /* NULL is fine */
/* Takes n items; 0: granted, else seconds to wait (at least 1). IPv6 addresses count by /64.
 * Nothing is taken when refused. */
int limits_take(struct limits *l, int32_t store_id, const char *address, size_t n, int64_t now_us);

#endif
