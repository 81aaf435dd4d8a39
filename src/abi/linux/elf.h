/* SPDX-License-Identifier: Apache-2.0 */
/* ELF64: elf(5), System V ABI ch. 4 and 5, notes of core files and Linux binaries. */
#pragma once

#include "base/types.h"

struct linux_elf64_ehdr {
	u8 e_ident[16];
	u16 e_type;
	u16 e_machine;
	u32 e_version;
	u64 e_entry;
	u64 e_phoff;
	u64 e_shoff;
	u32 e_flags;
	u16 e_ehsize;
	u16 e_phentsize;
	u16 e_phnum;
	u16 e_shentsize;
	u16 e_shnum;
	u16 e_shstrndx;
};

struct linux_elf64_phdr {
	u32 p_type;
	u32 p_flags;
	u64 p_offset;
	u64 p_vaddr;
	u64 p_paddr;
	u64 p_filesz;
	u64 p_memsz;
	u64 p_align;
};

struct linux_elf64_shdr {
	u32 sh_name;
	u32 sh_type;
	u64 sh_flags;
	u64 sh_addr;
	u64 sh_offset;
	u64 sh_size;
	u32 sh_link;
	u32 sh_info;
	u64 sh_addralign;
	u64 sh_entsize;
};

struct linux_elf64_dyn {
	s64 d_tag;
	u64 d_val;
};

struct linux_elf64_sym {
	u32 st_name;
	u8 st_info;
	u8 st_other;
	u16 st_shndx;
	u64 st_value;
	u64 st_size;
};

struct linux_elf64_rela {
	u64 r_offset;
	u64 r_info;
	s64 r_addend;
};

struct linux_elf64_nhdr {
	u32 n_namesz;
	u32 n_descsz;
	u32 n_type;
};

struct linux_elf64_verdef {
	u16 vd_version;
	u16 vd_flags;
	u16 vd_ndx;
	u16 vd_cnt;
	u32 vd_hash;
	u32 vd_aux;
	u32 vd_next;
};

struct linux_elf64_verdaux {
	u32 vda_name;
	u32 vda_next;
};

static_assert(sizeof(struct linux_elf64_ehdr) == 64, "ABI");
static_assert(sizeof(struct linux_elf64_phdr) == 56, "ABI");
static_assert(sizeof(struct linux_elf64_shdr) == 64, "ABI");
static_assert(sizeof(struct linux_elf64_dyn) == 16, "ABI");
static_assert(sizeof(struct linux_elf64_sym) == 24, "ABI");
static_assert(sizeof(struct linux_elf64_rela) == 24, "ABI");
static_assert(sizeof(struct linux_elf64_nhdr) == 12, "ABI");
static_assert(sizeof(struct linux_elf64_verdef) == 20, "ABI");

/* e_ident */
#define ELFMAG0 0x7f
#define ELFMAG1 0x45
#define ELFMAG2 0x4c
#define ELFMAG3 0x46

#define ELFMAG         "\177ELF"
#define SELFMAG        4
#define EI_NIDENT      16
#define EI_CLASS       4
#define ELFCLASSNONE   0
#define ELFCLASS32     1
#define ELFCLASS64     2
#define ELFCLASSNUM    3
#define EI_DATA        5
#define ELFDATANONE    0
#define ELFDATA2LSB    1
#define ELFDATA2MSB    2
#define ELFDATANUM     3
#define EI_VERSION     6
#define EI_OSABI       7
#define ELFOSABI_NONE  0
#define ELFOSABI_SYSV  0
#define ELFOSABI_GNU   3
#define ELFOSABI_LINUX 3
#define EI_ABIVERSION  8
#define EI_PAD         9
#define EV_NONE        0
#define EV_CURRENT     1
#define EV_NUM         2

/* e_type, e_machine */
#define ET_NONE    0
#define ET_REL     1
#define ET_EXEC    2
#define ET_DYN     3
#define ET_CORE    4
#define EM_NONE    0
#define EM_386     3
#define EM_X86_64  62
#define EM_AARCH64 183
#define PN_XNUM    65535

/* p_type */
#define PT_NULL         0
#define PT_LOAD         1
#define PT_DYNAMIC      2
#define PT_INTERP       3
#define PT_NOTE         4
#define PT_SHLIB        5
#define PT_PHDR         6
#define PT_TLS          7
#define PT_GNU_EH_FRAME 0x6474e550
#define PT_GNU_STACK    0x6474e551
#define PT_GNU_RELRO    0x6474e552
#define PT_GNU_PROPERTY 0x6474e553

/* p_flags */
#define PF_X 1
#define PF_W 2
#define PF_R 4

/* sh_type */
#define SHT_NULL        0
#define SHT_PROGBITS    1
#define SHT_SYMTAB      2
#define SHT_STRTAB      3
#define SHT_RELA        4
#define SHT_HASH        5
#define SHT_DYNAMIC     6
#define SHT_NOTE        7
#define SHT_NOBITS      8
#define SHT_REL         9
#define SHT_SHLIB       10
#define SHT_DYNSYM      11
#define SHT_GNU_HASH    0x6ffffff6
#define SHT_GNU_verdef  0x6ffffffd
#define SHT_GNU_verneed 0x6ffffffe
#define SHT_GNU_versym  0x6fffffff

/* sh_flags, section indices */
#define SHF_WRITE     1
#define SHF_ALLOC     2
#define SHF_EXECINSTR 4
#define SHN_UNDEF     0
#define SHN_LORESERVE 0xff00
#define SHN_ABS       0xfff1
#define SHN_COMMON    0xfff2
#define SHN_XINDEX    0xffff

/* st_info */
#define STB_LOCAL   0
#define STB_GLOBAL  1
#define STB_WEAK    2
#define STT_NOTYPE  0
#define STT_OBJECT  1
#define STT_FUNC    2
#define STT_SECTION 3
#define STT_FILE    4
#define STT_TLS     6

#define ELF64_ST_BIND(info)       ((info) >> 4)
#define ELF64_ST_TYPE(info)       ((info)&0xf)
#define ELF64_ST_INFO(bind, type) (((bind) << 4) | ((type)&0xf))
#define ELF64_R_SYM(info)         ((info) >> 32)
#define ELF64_R_TYPE(info)        ((info)&0xffffffffUL)

/* d_tag */
#define DT_NULL         0
#define DT_NEEDED       1
#define DT_PLTRELSZ     2
#define DT_PLTGOT       3
#define DT_HASH         4
#define DT_STRTAB       5
#define DT_SYMTAB       6
#define DT_RELA         7
#define DT_RELASZ       8
#define DT_RELAENT      9
#define DT_STRSZ        10
#define DT_SYMENT       11
#define DT_INIT         12
#define DT_FINI         13
#define DT_SONAME       14
#define DT_RPATH        15
#define DT_SYMBOLIC     16
#define DT_REL          17
#define DT_RELSZ        18
#define DT_RELENT       19
#define DT_PLTREL       20
#define DT_DEBUG        21
#define DT_TEXTREL      22
#define DT_JMPREL       23
#define DT_BIND_NOW     24
#define DT_INIT_ARRAY   25
#define DT_FINI_ARRAY   26
#define DT_INIT_ARRAYSZ 27
#define DT_FINI_ARRAYSZ 28
#define DT_RUNPATH      29
#define DT_FLAGS        30
#define DT_GNU_HASH     0x6ffffef5
#define DT_VERSYM       0x6ffffff0
#define DT_RELACOUNT    0x6ffffff9
#define DT_FLAGS_1      0x6ffffffb
#define DT_VERDEF       0x6ffffffc
#define DT_VERDEFNUM    0x6ffffffd
#define DT_VERNEED      0x6ffffffe
#define DT_VERNEEDNUM   0x6fffffff

/* version definitions */
#define VER_DEF_CURRENT 1
#define VER_FLG_BASE    0x1
#define VER_FLG_WEAK    0x2
#define VER_NDX_LOCAL   0
#define VER_NDX_GLOBAL  1

/* relocations */
#define R_X86_64_NONE      0
#define R_X86_64_64        1
#define R_X86_64_GLOB_DAT  6
#define R_X86_64_JUMP_SLOT 7
#define R_X86_64_RELATIVE  8
#define R_X86_64_IRELATIVE 37

/* notes */
#define NT_PRSTATUS                      1
#define NT_PRFPREG                       2
#define NT_PRPSINFO                      3
#define NT_TASKSTRUCT                    4
#define NT_AUXV                          6
#define NT_SIGINFO                       0x53494749
#define NT_FILE                          0x46494c45
#define NT_X86_XSTATE                    0x202
#define NT_GNU_ABI_TAG                   1
#define NT_GNU_HWCAP                     2
#define NT_GNU_BUILD_ID                  3
#define NT_GNU_PROPERTY_TYPE_0           5
#define GNU_PROPERTY_X86_FEATURE_1_AND   0xc0000002
#define GNU_PROPERTY_X86_FEATURE_1_IBT   1
#define GNU_PROPERTY_X86_FEATURE_1_SHSTK 2
