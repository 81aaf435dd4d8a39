/* SPDX-License-Identifier: Apache-2.0 */
/* KVM's own counters: Linux Documentation/virt/kvm/api.rst, "KVM_GET_STATS_FD". */
#include "platform/kvm/kvm.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Of one vCPU; larger answers are not KVM's. */
#define STATS_DESCRIPTORS_MAX 512u
#define STATS_NAME_MAX        256u

static bool read_at(int fd, void *buf, size_t n, u64 offset)
{
	return pread(fd, buf, n, (off_t)offset) == (ssize_t)n;
}

/* The value of the counter `name`, 0 if there is none. */
static u64 stats_value(int fd, const char *name)
{
	struct kvm_stats_header h;
	char entry[sizeof(struct kvm_stats_desc) + STATS_NAME_MAX];
	struct kvm_stats_desc d;
	u64 value = 0;
	size_t size;

	if (!read_at(fd, &h, sizeof(h), 0) || h.name_size > STATS_NAME_MAX ||
	    h.num_desc > STATS_DESCRIPTORS_MAX)
		return 0;
	size = sizeof(struct kvm_stats_desc) + h.name_size;
	for (u32 i = 0; i < h.num_desc; i++) {
		if (!read_at(fd, entry, size, h.desc_offset + i * size))
			return 0;
		if (strncmp(entry + sizeof(d), name, h.name_size))
			continue;
		memcpy(&d, entry, sizeof(d));
		return read_at(fd, &value, sizeof(value), h.data_offset + d.offset) ? value : 0;
	}
	return 0;
}

u64 kvm_vcpu_stat(const struct kvm_vcpu *v, const char *name)
{
	return v->stats_fd < 0 ? 0 : stats_value(v->stats_fd, name);
}
