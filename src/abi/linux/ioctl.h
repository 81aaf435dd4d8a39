/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ioctl(2) requests of terminals, files, block devices and network interfaces; the kernel's
 * struct termios.
 */
#pragma once

#include "base/types.h"

/* Encoding of a request: direction 31..30, size 29..16, type 15..8, number 7..0. */
#define _IOC_NONE                 0U
#define _IOC_WRITE                1U
#define _IOC_READ                 2U
#define _IOC(dir, type, nr, size) (((dir) << 30) | ((u32)(size) << 16) | ((u32)(type) << 8) | (nr))
#define _IO(type, nr)             _IOC(_IOC_NONE, type, nr, 0)
#define _IOR(type, nr, arg)       _IOC(_IOC_READ, type, nr, sizeof(arg))
#define _IOW(type, nr, arg)       _IOC(_IOC_WRITE, type, nr, sizeof(arg))
#define _IOWR(type, nr, arg)      _IOC(_IOC_READ | _IOC_WRITE, type, nr, sizeof(arg))
#define _IOC_DIR(req)             (((req) >> 30) & 3)
#define _IOC_SIZE(req)            (((req) >> 16) & 0x3fff)
#define _IOC_TYPE(req)            (((req) >> 8) & 0xff)
#define _IOC_NR(req)              ((req)&0xff)

/* terminals */
#define TCGETS          0x5401
#define TCSETS          0x5402
#define TCSETSW         0x5403
#define TCSETSF         0x5404
#define TCGETA          0x5405
#define TCSETA          0x5406
#define TCSETAW         0x5407
#define TCSETAF         0x5408
#define TCSBRK          0x5409
#define TCXONC          0x540a
#define TCFLSH          0x540b
#define TIOCEXCL        0x540c
#define TIOCNXCL        0x540d
#define TIOCSCTTY       0x540e
#define TIOCGPGRP       0x540f
#define TIOCSPGRP       0x5410
#define TIOCOUTQ        0x5411
#define TIOCSTI         0x5412
#define TIOCGWINSZ      0x5413
#define TIOCSWINSZ      0x5414
#define TIOCMGET        0x5415
#define TIOCMBIS        0x5416
#define TIOCMBIC        0x5417
#define TIOCMSET        0x5418
#define TIOCGSOFTCAR    0x5419
#define TIOCSSOFTCAR    0x541a
#define TIOCINQ         0x541b
#define TIOCLINUX       0x541c
#define TIOCCONS        0x541d
#define TIOCGSERIAL     0x541e
#define TIOCSSERIAL     0x541f
#define TIOCPKT         0x5420
#define TIOCNOTTY       0x5422
#define TIOCSETD        0x5423
#define TIOCGETD        0x5424
#define TCSBRKP         0x5425
#define TIOCSBRK        0x5427
#define TIOCCBRK        0x5428
#define TIOCGSID        0x5429
#define TCGETS2         0x802c542a
#define TCSETS2         0x402c542b
#define TCSETSW2        0x402c542c
#define TCSETSF2        0x402c542d
#define TIOCGRS485      0x542e
#define TIOCSRS485      0x542f
#define TIOCGPTN        0x80045430
#define TIOCSPTLCK      0x40045431
#define TIOCGDEV        0x80045432
#define TCGETX          0x5432
#define TCSETX          0x5433
#define TCSETXF         0x5434
#define TCSETXW         0x5435
#define TIOCSIG         0x40045436
#define TIOCVHANGUP     0x5437
#define TIOCGPKT        0x80045438
#define TIOCGPTLCK      0x80045439
#define TIOCGEXCL       0x80045440
#define TIOCGPTPEER     0x5441
#define TIOCSERCONFIG   0x5453
#define TIOCSERGWILD    0x5454
#define TIOCSERSWILD    0x5455
#define TIOCGLCKTRMIOS  0x5456
#define TIOCSLCKTRMIOS  0x5457
#define TIOCSERGSTRUCT  0x5458
#define TIOCSERGETLSR   0x5459
#define TIOCSERGETMULTI 0x545a
#define TIOCSERSETMULTI 0x545b
#define TIOCMIWAIT      0x545c
#define TIOCGICOUNT     0x545d

/* any file */
#define FIONREAD  0x541b
#define FIONBIO   0x5421
#define FIONCLEX  0x5450
#define FIOCLEX   0x5451
#define FIOASYNC  0x5452
#define FIOQSIZE  0x5460
#define FIOSETOWN 0x8901
#define FIOGETOWN 0x8903

/* TIOCPKT */
#define TIOCPKT_DATA       0
#define TIOCPKT_FLUSHREAD  1
#define TIOCPKT_FLUSHWRITE 2
#define TIOCPKT_STOP       4
#define TIOCPKT_START      8
#define TIOCPKT_NOSTOP     16
#define TIOCPKT_DOSTOP     32
#define TIOCPKT_IOCTL      64

/* TIOCMGET */
#define TIOCM_LE   0x1
#define TIOCM_DTR  0x2
#define TIOCM_RTS  0x4
#define TIOCM_ST   0x8
#define TIOCM_SR   0x10
#define TIOCM_CTS  0x20
#define TIOCM_CAR  0x40
#define TIOCM_RNG  0x80
#define TIOCM_DSR  0x100
#define TIOCM_CD   64
#define TIOCM_RI   128
#define TIOCM_OUT1 0x2000
#define TIOCM_OUT2 0x4000
#define TIOCM_LOOP 0x8000

/* tcflow(3), tcflush(3), tcsetattr(3) */
#define TCOOFF    0
#define TCOON     1
#define TCIOFF    2
#define TCION     3
#define TCIFLUSH  0
#define TCOFLUSH  1
#define TCIOFLUSH 2
#define TCSANOW   0
#define TCSADRAIN 1
#define TCSAFLUSH 2

#define KERNEL_NCCS 19

/* What TCGETS and TCSETS transfer: the kernel's struct termios, not libc's. */
struct linux_termios {
	u32 c_iflag;
	u32 c_oflag;
	u32 c_cflag;
	u32 c_lflag;
	u8 c_line;
	u8 c_cc[KERNEL_NCCS];
};

static_assert(sizeof(struct linux_termios) == 36, "ABI");

/* TCGETS2, TCSETS2 */
struct linux_termios2 {
	u32 c_iflag;
	u32 c_oflag;
	u32 c_cflag;
	u32 c_lflag;
	u8 c_line;
	u8 c_cc[KERNEL_NCCS];
	u32 c_ispeed;
	u32 c_ospeed;
};

static_assert(sizeof(struct linux_termios2) == 44, "ABI");

/* TCGETA, TCSETA */
struct linux_termio {
	u16 c_iflag;
	u16 c_oflag;
	u16 c_cflag;
	u16 c_lflag;
	u8 c_line;
	u8 c_cc[8];
};

static_assert(sizeof(struct linux_termio) == 18, "ABI");

struct linux_winsize {
	u16 ws_row;
	u16 ws_col;
	u16 ws_xpixel;
	u16 ws_ypixel;
};

static_assert(sizeof(struct linux_winsize) == 8, "ABI");

/* c_cc */
#define VINTR    0
#define VQUIT    1
#define VERASE   2
#define VKILL    3
#define VEOF     4
#define VTIME    5
#define VMIN     6
#define VSWTC    7
#define VSTART   8
#define VSTOP    9
#define VSUSP    10
#define VEOL     11
#define VREPRINT 12
#define VDISCARD 13
#define VWERASE  14
#define VLNEXT   15
#define VEOL2    16

/* c_iflag */
#define IGNBRK  01
#define BRKINT  02
#define IGNPAR  04
#define PARMRK  010
#define INPCK   020
#define ISTRIP  040
#define INLCR   0100
#define IGNCR   0200
#define ICRNL   0400
#define IUCLC   01000
#define IXON    02000
#define IXANY   04000
#define IXOFF   010000
#define IMAXBEL 020000
#define IUTF8   040000

/* c_oflag */
#define OPOST  01
#define OLCUC  02
#define ONLCR  04
#define OCRNL  010
#define ONOCR  020
#define ONLRET 040
#define OFILL  0100
#define OFDEL  0200
#define NLDLY  0400
#define CRDLY  03000
#define TABDLY 014000
#define XTABS  014000
#define BSDLY  020000
#define VTDLY  040000
#define FFDLY  0100000

/* c_cflag */
#define CBAUD   010017
#define B0      0
#define B9600   015
#define B19200  016
#define B38400  017
#define CBAUDEX 010000
#define B57600  010001
#define B115200 010002
#define CSIZE   060
#define CS5     0
#define CS6     020
#define CS7     040
#define CS8     060
#define CSTOPB  0100
#define CREAD   0200
#define PARENB  0400
#define PARODD  01000
#define HUPCL   02000
#define CLOCAL  04000
#define BOTHER  010000
#define CIBAUD  02003600000
#define IBSHIFT 020
#define CMSPAR  010000000000
#define CRTSCTS 020000000000

/* c_lflag */
#define ISIG    01
#define ICANON  02
#define XCASE   04
#define ECHO    010
#define ECHOE   020
#define ECHOK   040
#define ECHONL  0100
#define NOFLSH  0200
#define TOSTOP  0400
#define ECHOCTL 01000
#define ECHOPRT 02000
#define ECHOKE  04000
#define FLUSHO  010000
#define PENDIN  040000
#define IEXTEN  0100000
#define EXTPROC 0200000

/* c_line */
#define N_TTY 0

/* block devices and file systems */
#define BLKROSET          0x125d
#define BLKROGET          0x125e
#define BLKRRPART         0x125f
#define BLKGETSIZE        0x1260
#define BLKFLSBUF         0x1261
#define BLKRASET          0x1262
#define BLKRAGET          0x1263
#define BLKSECTGET        0x1267
#define BLKSSZGET         0x1268
#define BLKBSZGET         0x80081270
#define BLKBSZSET         0x40081271
#define BLKGETSIZE64      0x80081272
#define BLKDISCARD        0x1277
#define BLKIOMIN          0x1278
#define BLKIOOPT          0x1279
#define BLKALIGNOFF       0x127a
#define BLKPBSZGET        0x127b
#define FIBMAP            0x1
#define FIGETBSZ          0x2
#define FIFREEZE          0xc0045877
#define FITHAW            0xc0045878
#define FITRIM            0xc0185879
#define FICLONE           0x40049409
#define FICLONERANGE      0x4020940d
#define FIDEDUPERANGE     0xc0189436
#define FS_IOC_GETFLAGS   0x80086601
#define FS_IOC_SETFLAGS   0x40086602
#define FS_IOC_GETVERSION 0x80087601
#define FS_IOC_FIEMAP     0xc020660b
#define FS_IOC_FSGETXATTR 0x801c581f
#define FS_IOC_FSSETXATTR 0x401c5820

/* FS_IOC_GETFLAGS */
#define FS_IMMUTABLE_FL 0x10
#define FS_APPEND_FL    0x20
#define FS_NODUMP_FL    0x40
#define FS_NOATIME_FL   0x80
#define FS_EXTENT_FL    0x80000

/* sockets */
#define SIOCATMARK     0x8905
#define SIOCGPGRP      0x8904
#define SIOCSPGRP      0x8902
#define SIOCGIFNAME    0x8910
#define SIOCGIFCONF    0x8912
#define SIOCGIFFLAGS   0x8913
#define SIOCGIFADDR    0x8915
#define SIOCGIFNETMASK 0x891b
#define SIOCGIFBRDADDR 0x8919
#define SIOCGIFMTU     0x8921
#define SIOCGIFHWADDR  0x8927
#define SIOCGIFINDEX   0x8933
#define SIOCGIFTXQLEN  0x8942
#define SIOCINQ        0x541b
#define SIOCOUTQ       0x5411

/* namespaces */
#define NS_GET_USERNS    46849
#define NS_GET_PARENT    46850
#define NS_GET_NSTYPE    46851
#define NS_GET_OWNER_UID 46852
