/* SPDX-License-Identifier: Apache-2.0 */
#include "base/format.h"

#include <limits.h>

#include "base/string.h"

/* Where the text goes; @pos counts on beyond @size. */
struct fmt_out {
	char *buf;
	size_t size;
	size_t pos;
};

struct fmt_spec {
	bool left, zero, plus, space, alt, upper;
	/* At least this many characters. */
	size_t width;
	/* Digits of a number at least, characters of a string at most; −1: not given. */
	int precision;
	/* Of the integer argument: its size in bytes. */
	unsigned int bytes;
};

static void out_char(struct fmt_out *out, char c)
{
	if (out->pos < out->size)
		out->buf[out->pos] = c;
	out->pos++;
}

static void out_text(struct fmt_out *out, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		out_char(out, s[i]);
}

/* Widths may be huge (`%*d`): what does not fit is only counted. */
static void out_fill(struct fmt_out *out, char c, size_t n)
{
	size_t room = out->pos < out->size ? out->size - out->pos : 0;
	size_t stored = MIN(n, room);

	if (stored)
		memset(out->buf + out->pos, c, stored);
	out->pos += n;
}

static void out_padded(struct fmt_out *out, const struct fmt_spec *spec, const char *s, size_t n)
{
	size_t pad = spec->width > n ? spec->width - n : 0;

	if (!spec->left)
		out_fill(out, ' ', pad);
	out_text(out, s, n);
	if (spec->left)
		out_fill(out, ' ', pad);
}

/* Writes the digits backwards from @end; none for 0. */
static char *digits_before(char *end, u64 value, unsigned int base, bool upper)
{
	const char *digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";

	for (; value; value /= base)
		*--end = digits[value % base];
	return end;
}

static void out_number(struct fmt_out *out, const struct fmt_spec *spec, u64 value,
		       unsigned int base, const char *prefix)
{
	/* 64 bits in octal take 22 digits. */
	char buf[24];
	char *end = buf + sizeof(buf), *s = digits_before(end, value, base, spec->upper);
	size_t digits = (size_t)(end - s), npre = strlen(prefix), zeros = 0, total, pad;
	size_t wanted = spec->precision < 0 ? 1 : (size_t)spec->precision;

	if (base == 8 && spec->alt && wanted <= digits)
		wanted = digits + 1;
	if (wanted > digits)
		zeros = wanted - digits;
	total = npre + zeros + digits;
	pad = spec->width > total ? spec->width - total : 0;
	if (spec->zero && !spec->left && spec->precision < 0) {
		zeros += pad;
		pad = 0;
	}
	if (!spec->left)
		out_fill(out, ' ', pad);
	out_text(out, prefix, npre);
	out_fill(out, '0', zeros);
	out_text(out, s, digits);
	if (spec->left)
		out_fill(out, ' ', pad);
}

static void out_signed(struct fmt_out *out, const struct fmt_spec *spec, s64 value)
{
	const char *sign = value < 0 ? "-" : spec->plus ? "+" : spec->space ? " " : "";

	out_number(out, spec, value < 0 ? -(u64)value : (u64)value, 10, sign);
}

static void out_unsigned(struct fmt_out *out, const struct fmt_spec *spec, u64 value,
			 unsigned int base)
{
	bool prefixed = base == 16 && spec->alt && value;

	out_number(out, spec, value, base, !prefixed ? "" : spec->upper ? "0X" : "0x");
}

static void out_string(struct fmt_out *out, const struct fmt_spec *spec, const char *s)
{
	if (!s)
		s = "(null)";
	out_padded(out, spec, s,
		   spec->precision < 0 ? strlen(s) : strnlen(s, (size_t)spec->precision));
}

static void out_pointer(struct fmt_out *out, struct fmt_spec *spec, const void *p)
{
	spec->plus = spec->space = false;
	out_number(out, spec, (u64)(uintptr_t)p, 16, "0x");
}

static const char *parse_flags(const char *f, struct fmt_spec *spec)
{
	for (;; f++) {
		switch (*f) {
		case '-':
			spec->left = true;
			break;
		case '0':
			spec->zero = true;
			break;
		case '+':
			spec->plus = true;
			break;
		case ' ':
			spec->space = true;
			break;
		case '#':
			spec->alt = true;
			break;
		default:
			return f;
		}
	}
}

/* Decimal digits; stops growing far from overflow. */
static const char *parse_count(const char *f, int *ret)
{
	int n = 0;

	for (; *f >= '0' && *f <= '9'; f++)
		if (n < INT_MAX / 16)
			n = n * 10 + (*f - '0');
	*ret = n;
	return f;
}

static const char *parse_length(const char *f, struct fmt_spec *spec)
{
	spec->bytes = sizeof(int);
	switch (*f) {
	case 'h':
		spec->bytes = f[1] == 'h' ? sizeof(char) : sizeof(short);
		return f[1] == 'h' ? f + 2 : f + 1;
	case 'l':
		spec->bytes = sizeof(long);
		return f[1] == 'l' ? f + 2 : f + 1;
	case 'z':
	case 'j':
	case 't':
		spec->bytes = sizeof(u64);
		return f + 1;
	default:
		return f;
	}
}

/*
 * A va_list inside a struct can be passed on by pointer; a parameter of that type can't
 * portably.
 */
struct fmt_args {
	va_list list;
};

/* Reads what stands between % and the conversion. */
static const char *parse_spec(const char *f, struct fmt_spec *spec, struct fmt_args *args)
{
	int width;

	*spec = (struct fmt_spec){ .precision = -1 };
	f = parse_flags(f, spec);
	if (*f == '*') {
		width = va_arg(args->list, int);
		f++;
	} else {
		f = parse_count(f, &width);
	}
	if (width < 0)
		spec->left = true;
	spec->width = width < 0 ? -(size_t)width : (size_t)width;
	if (*f == '.' && f[1] == '*') {
		spec->precision = va_arg(args->list, int);
		f += 2;
	} else if (*f == '.') {
		f = parse_count(f + 1, &spec->precision);
	}
	return parse_length(f, spec);
}

static u64 arg_unsigned(const struct fmt_spec *spec, struct fmt_args *args)
{
	unsigned int value;

	if (spec->bytes == sizeof(u64))
		return va_arg(args->list, u64);
	value = va_arg(args->list, unsigned int);
	return spec->bytes == 1 ? (u8)value : spec->bytes == 2 ? (u16)value : value;
}

static s64 arg_signed(const struct fmt_spec *spec, struct fmt_args *args)
{
	int value;

	if (spec->bytes == sizeof(s64))
		return va_arg(args->list, s64);
	value = va_arg(args->list, int);
	return spec->bytes == 1 ? (s8)value : spec->bytes == 2 ? (s16)value : value;
}

/* Converts one argument. False when @conversion is unknown. */
static bool out_conversion(struct fmt_out *out, struct fmt_spec *spec, char conversion,
			   struct fmt_args *args)
{
	char c;

	switch (conversion) {
	case 'd':
	case 'i':
		out_signed(out, spec, arg_signed(spec, args));
		return true;
	case 'u':
		out_unsigned(out, spec, arg_unsigned(spec, args), 10);
		return true;
	case 'o':
		out_unsigned(out, spec, arg_unsigned(spec, args), 8);
		return true;
	case 'X':
	case 'x':
		spec->upper = conversion == 'X';
		out_unsigned(out, spec, arg_unsigned(spec, args), 16);
		return true;
	case 'c':
		c = (char)va_arg(args->list, int);
		out_padded(out, spec, &c, 1);
		return true;
	case 's':
		out_string(out, spec, va_arg(args->list, const char *));
		return true;
	case 'p':
		out_pointer(out, spec, va_arg(args->list, const void *));
		return true;
	case '%':
		out_char(out, '%');
		return true;
	default:
		return false;
	}
}

static void out_format(struct fmt_out *out, const char *format, struct fmt_args *args)
{
	struct fmt_spec spec;
	const char *start;

	while (*format) {
		if (*format != '%') {
			out_char(out, *format++);
			continue;
		}
		start = format;
		format = parse_spec(format + 1, &spec, args);
		if (!out_conversion(out, &spec, *format, args)) {
			out_text(out, start, strlen(start));
			return;
		}
		format++;
	}
}

int fmt_vsnprintf(char *buf, size_t size, const char *format, va_list args)
{
	struct fmt_out out = { .buf = buf, .size = size ? size - 1 : 0 };
	struct fmt_args copy;

	va_copy(copy.list, args);
	out_format(&out, format, &copy);
	va_end(copy.list);
	if (size)
		buf[MIN(out.pos, size - 1)] = '\0';
	return (int)MIN(out.pos, (size_t)INT_MAX);
}

int fmt_snprintf(char *buf, size_t size, const char *format, ...)
{
	va_list args;
	int len;

	va_start(args, format);
	len = fmt_vsnprintf(buf, size, format, args);
	va_end(args);
	return len;
}

bool fmt_append(char *buf, size_t size, size_t *len, const char *format, ...)
{
	size_t room = size - *len;
	va_list args;
	int n;

	va_start(args, format);
	n = fmt_vsnprintf(buf + *len, room, format, args);
	va_end(args);
	if ((size_t)n < room) {
		*len += (size_t)n;
		return true;
	}
	*len = size - 1;
	return false;
}
