/* SPDX-License-Identifier: Apache-2.0 */
/* The registry's functions are all public; see <ringfence/platform.h>. */
#pragma once

#include <ringfence/platform.h>
