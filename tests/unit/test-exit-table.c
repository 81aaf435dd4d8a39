/* SPDX-License-Identifier: Apache-2.0 */
/* The table of exits: complete, consistent with <linux/kvm.h>, with an answer for everything; and the check of a state. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/test.h"
#include "platform/kvm/exit_table.h"
#include "platform/kvm/kvm.h"

/* KVM_EXIT_<name> of the header we build with, and its number. */
static bool parse(const char *line, const char *prefix, char *ret_name, unsigned long *ret_number)
{
	const char *at = strstr(line, prefix);
	char number[32];

	return at && strstr(line, "#define") &&
	       sscanf(at + strlen(prefix), "%63[A-Z0-9_] %31[0-9]", ret_name, number) == 2 &&
	       (*ret_number = strtoul(number, NULL, 10), true);
}

/* Values of fields of the same prefix. */
static bool is_field(const char *name)
{
	return !strncmp(name, "HYPERV_", 7) || !strncmp(name, "XEN_", 4) ||
	       !strncmp(name, "IO_", 3);
}

static void check_header(const char *prefix, enum kvm_exit_class class, unsigned int at_least)
{
	FILE *file = fopen("/usr/include/linux/kvm.h", "r");
	char line[512], name[64];
	unsigned int found = 0;
	unsigned long number;

	if (!file)
		test_skip("no /usr/include/linux/kvm.h");
	while (fgets(line, sizeof(line), file)) {
		if (!parse(line, prefix, name, &number) || is_field(name))
			continue;
		EXPECT_STR_EQ(kvm_exit_row(class, number)->name, name);
		found++;
	}
	fclose(file);
	EXPECT_TRUE(found >= at_least);
}

TEST(reasons_are_named_as_in_the_header)
{
	check_header("KVM_EXIT_", KVM_CLASS_REASON, 38);
	EXPECT_STR_EQ(kvm_exit_name(39), "MEMORY_FAULT");
	EXPECT_STR_EQ(kvm_exit_name(37), "NOTIFY");
}

TEST(suberrors_are_named_as_in_the_header)
{
	check_header("KVM_INTERNAL_ERROR_", KVM_CLASS_SUBERROR, 4);
}

TEST(errnos_are_named)
{
	static const int values[] = { EINTR,   EAGAIN, EFAULT, ENOMEM,    EINVAL, EIO,  EPERM,
				      ENOEXEC, ENODEV, EBADF,  EHWPOISON, ENOTTY, ENXIO };

	for (size_t i = 0; i < ARRAY_SIZE(values); i++)
		EXPECT_STR_EQ(kvm_exit_row(KVM_CLASS_ERRNO, (u64)values[i])->name,
			      strerrorname_np(values[i]));
}

TEST(rows_are_in_order_and_complete)
{
	for (int class = 0; class < KVM_CLASSES; class ++) {
		size_t n;
		const struct kvm_exit_row *rows = kvm_exit_rows((enum kvm_exit_class) class, &n);

		for (size_t i = 0; i < n; i++) {
			EXPECT_TRUE(rows[i].name && rows[i].cause && strlen(rows[i].cause) > 5);
			if (class == KVM_CLASS_REASON && i + 1 < n)
				EXPECT_EQ(rows[i].code, i);
			if (i + 1 < n)
				EXPECT_TRUE(kvm_exit_row((enum kvm_exit_class) class,
							 rows[i].code) == &rows[i]);
		}
		EXPECT_STR_EQ(kvm_exit_row((enum kvm_exit_class) class, 12345)->name, "unknown");
	}
}

/* Everything but this list is fatal in both residencies. */
TEST(answers_are_these)
{
	static const struct {
		int error;
		u32 reason;
		enum kvm_answer host, guest;
	} special[] = {
		{ 0, KVM_EXIT_IO, KVM_ANSWER_EVENT, KVM_ANSWER_FATAL },
		{ 0, KVM_EXIT_HLT, KVM_ANSWER_FATAL, KVM_ANSWER_HOSTCALL },
		{ 0, KVM_EXIT_IRQ_WINDOW_OPEN, KVM_ANSWER_FATAL, KVM_ANSWER_WINDOW },
		{ 0, KVM_EXIT_INTR, KVM_ANSWER_SIGNAL, KVM_ANSWER_SIGNAL },
		{ -EINTR, 0, KVM_ANSWER_SIGNAL, KVM_ANSWER_SIGNAL },
		{ -EAGAIN, 0, KVM_ANSWER_AGAIN, KVM_ANSWER_AGAIN },
		{ -EFAULT, 0, KVM_ANSWER_BACKING, KVM_ANSWER_FATAL },
		{ -EHWPOISON, 0, KVM_ANSWER_BACKING, KVM_ANSWER_FATAL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(special); i++) {
		EXPECT_EQ(kvm_exit_answer(RF_RESIDENCY_HOST, special[i].error, special[i].reason),
			  special[i].host);
		EXPECT_EQ(kvm_exit_answer(RF_RESIDENCY_GUEST, special[i].error, special[i].reason),
			  special[i].guest);
	}
	for (u32 reason = 0; reason < 300; reason++) {
		if (reason == KVM_EXIT_IO || reason == KVM_EXIT_HLT ||
		    reason == KVM_EXIT_IRQ_WINDOW_OPEN || reason == KVM_EXIT_INTR)
			continue;
		EXPECT_EQ(kvm_exit_answer(RF_RESIDENCY_HOST, 0, reason), KVM_ANSWER_FATAL);
		EXPECT_EQ(kvm_exit_answer(RF_RESIDENCY_GUEST, 0, reason), KVM_ANSWER_FATAL);
	}
	for (int error = 1; error < 200; error++) {
		if (error == EINTR || error == EAGAIN || error == EFAULT || error == EHWPOISON)
			continue;
		EXPECT_EQ(kvm_exit_answer(RF_RESIDENCY_HOST, -error, KVM_EXIT_IO),
			  KVM_ANSWER_FATAL);
		EXPECT_EQ(kvm_exit_answer(RF_RESIDENCY_GUEST, -error, KVM_EXIT_HLT),
			  KVM_ANSWER_FATAL);
	}
}

/* docs/exits.md has a line for each row, with its answers: "| 5 | HLT | fatal | hostcall |". */
TEST(document_has_every_row)
{
	const char *root = getenv("RF_SOURCE_ROOT");
	static char text[1 << 16];
	char path[512], want[128];
	FILE *file;
	size_t n;

	snprintf(path, sizeof(path), "%s/docs/exits.md", root ? root : ".");
	file = fopen(path, "r");
	ASSERT_NOT_NULL(file);
	n = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[n] = '\0';
	for (int class = 0; class < KVM_CLASSES; class ++) {
		const struct kvm_exit_row *rows = kvm_exit_rows((enum kvm_exit_class) class, &n);

		for (size_t i = 0; i + 1 < n; i++) {
			snprintf(want, sizeof(want), "| %u | %s | %s | %s |", rows[i].code,
				 rows[i].name, kvm_answer_name(rows[i].host),
				 kvm_answer_name(rows[i].guest));
			if (!strstr(text, want))
				test_fatal("docs/exits.md lacks: %s", want);
		}
	}
}

/* ---- the state check ---- */

static struct kvm_sregs good_state(bool user)
{
	struct kvm_sregs s = { .cr0 = CR0_LONG_MODE,
			       .cr3 = 0x100000,
			       .cr4 = CR4_PAE | CR4_OSFXSR,
			       .efer = EFER_LONG };

	kvm_layout_segments(&s, 0, user);
	return s;
}

static u32 findings(const struct kvm_sregs *s, u64 rip, u64 rflags, const char *part)
{
	char text[1024];
	u32 n = kvm_state_check(s, rip, rflags, text, sizeof(text));

	if (part && !strstr(text, part))
		test_fatal("'%s' not in '%s'", part, text);
	return n;
}

TEST(state_of_the_layout_is_good)
{
	struct kvm_sregs user = good_state(true), ring0 = good_state(false);

	EXPECT_EQ(findings(&user, 0x400000, 0x202, NULL), 0);
	EXPECT_EQ(findings(&ring0, RF_ARENA_BASE, 2, NULL), 0);
}

TEST(each_broken_rule_is_found)
{
	struct kvm_sregs s;

#define BROKEN(change, part)                                           \
	do {                                                           \
		s = good_state(true);                                  \
		change;                                                \
		EXPECT_TRUE(findings(&s, 0x400000, 0x202, part) >= 1); \
	} while (0)
	BROKEN(s.cr0 &= ~1ull, "CR0.PG without CR0.PE");
	BROKEN(s.cr0 |= 1ull << 29, "CR0.NW");
	BROKEN(s.cr4 &= ~CR4_PAE, "long mode without CR4.PAE");
	BROKEN(s.efer &= ~(1ull << 10), "EFER.LMA");
	BROKEN(s.efer |= 1ull << 40, "reserved bits in EFER");
	BROKEN(s.cr3 |= 1ull << 55, "CR3");
	BROKEN(s.cs.type = 3, "CS has type 3");
	BROKEN(s.cs.db = 1, "both L and D");
	BROKEN(s.cs.dpl = 0, "CS has DPL 0");
	BROKEN(s.cs.present = 0, "CS is not");
	BROKEN(s.ss.dpl = 0, "SS has DPL 0");
	BROKEN(s.tr.type = 9, "busy TSS");
	BROKEN(s.tr.limit = 0x66, "TSS limit");
	BROKEN(s.tr.base = 1ull << 50, "TR base");
	BROKEN(s.ldt.unusable = 0, "LDTR");
	BROKEN(s.idt.base = 1ull << 60, "IDT base");
	BROKEN(s.gs.base = 0x800000000000, "GS base");
#undef BROKEN
	s = good_state(true);
	EXPECT_EQ(findings(&s, 1ull << 47, 0x202, "RIP"), 1);
	EXPECT_EQ(findings(&s, 0x400000, 0x200, "RFLAGS"), 1);
	EXPECT_EQ(findings(&s, 0x400000, 0x20202, "RFLAGS.VM"), 1);
}

TEST(findings_fit_any_buffer)
{
	struct kvm_sregs zero = { 0 };
	char text[300];
	u32 all = kvm_state_check(&zero, ~0ull, 0, text, sizeof(text));

	EXPECT_TRUE(all >= 5);
	for (size_t size = 0; size < sizeof(text); size++) {
		memset(text, 'x', sizeof(text));
		EXPECT_EQ(kvm_state_check(&zero, ~0ull, 0, text, size), all);
		if (size)
			EXPECT_TRUE(memchr(text, 0, size) != NULL);
		EXPECT_EQ(text[size], 'x');
	}
}

TEST(entry_failures_are_named)
{
	EXPECT_NOT_NULL(strstr(kvm_entry_failure_name(0x80000021), "invalid guest state"));
	EXPECT_NOT_NULL(strstr(kvm_entry_failure_name(~0ull), "SVM"));
	EXPECT_NOT_NULL(kvm_entry_failure_name(7));
}
