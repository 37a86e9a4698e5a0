/* How many different things were seen: HyperLogLog (Flajolet et al., 2007), dense, 4,096 registers
 * of a byte each; standard error 1.6 %. What is counted goes in as a keyed hash (src/siphash.h),
 * never as itself. The union of two is the larger of each register, the same to the bit as if one
 * had seen all. The estimator is Ertl's improved one (arXiv 1702.01284), good from zero on. */
#ifndef TA_HLL_H
#define TA_HLL_H

#include <stddef.h>
#include <stdint.h>

#define HLL_BITS      12
#define HLL_REGISTERS (1 << HLL_BITS)

struct hll {
	uint8_t rank[HLL_REGISTERS]; /* {0}: empty; may be stored as it is */
};

void hll_add(struct hll *h, uint64_t hash);
void hll_merge(struct hll *h, const struct hll *from);
double hll_estimate(const struct hll *h);

#endif
