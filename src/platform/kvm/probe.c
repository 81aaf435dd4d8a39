/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/kvm/kvm.h"
#include <errno.h>
int kvm_probe(int device, bool full, struct rf_probe *ret, struct rf_error *err)
{
	return -ENOSYS;
}
int kvm_probe_behaviour(int device, struct kvm_behaviour *ret, struct rf_error *err)
{
	*ret = (struct kvm_behaviour){ .usable = true };
	return 0;
}
