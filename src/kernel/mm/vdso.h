/* SPDX-License-Identifier: Apache-2.0 */
/* The vDSO in user address spaces: one read-only page of time parameters (vvar), then the image. */
#pragma once

#include "base/types.h"

struct mm;
struct vma;

/* Maps vvar and image; sets mm->vdso to the image's address. */
int vdso_map(struct mm *mm);
/* A fault in one of its VMAs. */
int vdso_fault(struct vma *v, uptr_t va);
/* Brings the page users read in line with boot_info()->time. Cheap when nothing changed; called from the clock tick. */
void vvar_update(void);
