// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a kernel tree does that has a price of its own beside its steps (sim/engine/costs.csv), and
 * what is counted of it, as kvmmmu/own does: docs/model.md, K16, K23.
 */
#include "kvmmmu/kernel/host.h"
#include "kvmmmu/kernel/linux_priv.h"
#include "sim/engine/clock.h"
#include "sim/engine/hash.h"
#include "sim/engine/trace.h"
#include "sim/engine/undo.h"

void ksim_charge(enum ksim_price what, unsigned long n)
{
	static const enum cost_key keys[] = {
		[KSIM_PAGE_CLEAR] = COST_PAGE_CLEAR_4K,
		[KSIM_PAGE_CLFLUSH] = COST_PAGE_CLFLUSH_4K,
		[KSIM_ZAP_CODE] = COST_KVM_ZAP_CODE,
	};

	khost_settle();
	sim_charge(keys[what], n);
}

void ksim_count_kick(void)
{
	count(COUNT_KICKS, 1);
}

void ksim_count_retry(void)
{
	count(COUNT_RETRIES, 1);
}

/*
 * Who removes calls again what was busy, whatever it does in between: tdh_do_no_vcpus() kicks all
 * vCPUs out, another tree may spin. A fault that is tried again is counted where its loop is.
 * No part of a state: it only counts.
 */
void khost_calls(u64 call)
{
	const struct khost *h = khost();
	const struct kvm *kvm = h->op_vm[sim_self->id];

	if (unlikely(h->busy[sim_self->id] == call) && kvm && !kvm->destroyed && linux_zaps(kvm))
		ksim_count_retry();
}

void khost_called(u64 call, bool busy)
{
	u64 *w = &khost()->busy[sim_self->id];

	if (unlikely(busy || *w))
		actor_set(*w, busy ? call : 0ull);
}
