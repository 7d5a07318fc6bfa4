package groupware

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// color is "#rrggbb" for a colour that a client wrote: in hexadecimal digits, of
// which those of an alpha channel are left out; by a name of CSS, as RFC 7986
// §5.9 has it; or by the functions of CSS (CSS Color Module Level 4 §4 to §7).
// Empty: it is none.
func color(text string) string {
	text = strings.ToLower(strings.TrimSpace(text))
	if rgb, ok := colorNames[text]; ok {
		return fmt.Sprintf("#%06x", rgb)
	}
	if name, arguments, ok := strings.Cut(text, "("); ok {
		return colorFunction(strings.TrimSpace(name), strings.TrimSuffix(arguments, ")"))
	}
	hex, marked := strings.CutPrefix(text, "#")
	if !marked {
		hex, marked = strings.CutPrefix(text, "0x")
	}
	if strings.Trim(hex, "0123456789abcdef") != "" {
		return ""
	}
	each := 0
	switch len(hex) {
	case 3, 4:
		each = 1
	case 6, 8:
		each = 2
	case 12: // as X11 and GNOME write them, 16 bits for each
		each = 4
	}
	if each == 0 || !marked && each != 2 { // "bad" may be a word
		return ""
	}
	out := "#"
	for i := range 3 {
		part := hex[i*each:][:each]
		if each == 1 {
			part += part
		}
		out += part[:2]
	}
	return out
}

// colorFunction is "rgb(…)" or "hsl(…)", in the commas of old or without.
func colorFunction(name, arguments string) string {
	arguments, _, _ = strings.Cut(arguments, "/") // alpha
	parts := strings.FieldsFunc(arguments, func(r rune) bool { return r == ',' || r == ' ' })
	switch {
	case (name == "rgb" || name == "rgba") && (len(parts) == 3 || len(parts) == 4):
		var rgb [3]float64
		for i, p := range parts[:3] {
			digits, percent := strings.CutSuffix(p, "%")
			f, err := strconv.ParseFloat(digits, 64)
			if err != nil || math.IsNaN(f) {
				return ""
			}
			rgb[i] = f / 255
			if percent {
				rgb[i] = f / 100
			}
		}
		return hexColor(rgb)
	case (name == "hsl" || name == "hsla") && (len(parts) == 3 || len(parts) == 4):
		h, err1 := strconv.ParseFloat(strings.TrimSuffix(parts[0], "deg"), 64)
		s, err2 := strconv.ParseFloat(strings.TrimSuffix(parts[1], "%"), 64)
		l, err3 := strconv.ParseFloat(strings.TrimSuffix(parts[2], "%"), 64)
		if err1 != nil || err2 != nil || err3 != nil || math.IsNaN(h+s+l) || math.IsInf(h, 0) {
			return ""
		}
		s, l = min(max(s/100, 0), 1), min(max(l/100, 0), 1)
		var rgb [3]float64
		for i, n := range []float64{0, 8, 4} {
			k := math.Mod(math.Mod(n+h/30, 12)+12, 12)
			rgb[i] = l - s*min(l, 1-l)*max(-1, min(k-3, 9-k, 1))
		}
		return hexColor(rgb)
	}
	return ""
}

// hexColor writes red, green and blue, each from 0 to 1.
func hexColor(rgb [3]float64) string {
	out := "#"
	for _, f := range rgb {
		out += fmt.Sprintf("%02x", int(math.Round(min(max(f, 0), 1)*255)))
	}
	return out
}

// colorNames are those of CSS (CSS Color Module Level 4 §6.1).
var colorNames = map[string]uint32{
	"aliceblue": 0xf0f8ff, "antiquewhite": 0xfaebd7, "aqua": 0x00ffff, "aquamarine": 0x7fffd4, "azure": 0xf0ffff,
	"beige": 0xf5f5dc, "bisque": 0xffe4c4, "black": 0x000000, "blanchedalmond": 0xffebcd, "blue": 0x0000ff, "blueviolet": 0x8a2be2, "brown": 0xa52a2a, "burlywood": 0xdeb887,
	"cadetblue": 0x5f9ea0, "chartreuse": 0x7fff00, "chocolate": 0xd2691e, "coral": 0xff7f50, "cornflowerblue": 0x6495ed, "cornsilk": 0xfff8dc, "crimson": 0xdc143c, "cyan": 0x00ffff,
	"darkblue": 0x00008b, "darkcyan": 0x008b8b, "darkgoldenrod": 0xb8860b, "darkgray": 0xa9a9a9, "darkgreen": 0x006400, "darkgrey": 0xa9a9a9, "darkkhaki": 0xbdb76b, "darkmagenta": 0x8b008b,
	"darkolivegreen": 0x556b2f, "darkorange": 0xff8c00, "darkorchid": 0x9932cc, "darkred": 0x8b0000, "darksalmon": 0xe9967a, "darkseagreen": 0x8fbc8f, "darkslateblue": 0x483d8b,
	"darkslategray": 0x2f4f4f, "darkslategrey": 0x2f4f4f, "darkturquoise": 0x00ced1, "darkviolet": 0x9400d3, "deeppink": 0xff1493, "deepskyblue": 0x00bfff, "dimgray": 0x696969,
	"dimgrey": 0x696969, "dodgerblue": 0x1e90ff, "firebrick": 0xb22222, "floralwhite": 0xfffaf0, "forestgreen": 0x228b22, "fuchsia": 0xff00ff,
	"gainsboro": 0xdcdcdc, "ghostwhite": 0xf8f8ff, "gold": 0xffd700, "goldenrod": 0xdaa520, "gray": 0x808080, "green": 0x008000, "greenyellow": 0xadff2f, "grey": 0x808080,
	"honeydew": 0xf0fff0, "hotpink": 0xff69b4, "indianred": 0xcd5c5c, "indigo": 0x4b0082, "ivory": 0xfffff0, "khaki": 0xf0e68c,
	"lavender": 0xe6e6fa, "lavenderblush": 0xfff0f5, "lawngreen": 0x7cfc00, "lemonchiffon": 0xfffacd, "lightblue": 0xadd8e6, "lightcoral": 0xf08080, "lightcyan": 0xe0ffff,
	"lightgoldenrodyellow": 0xfafad2, "lightgray": 0xd3d3d3, "lightgreen": 0x90ee90, "lightgrey": 0xd3d3d3, "lightpink": 0xffb6c1, "lightsalmon": 0xffa07a, "lightseagreen": 0x20b2aa,
	"lightskyblue": 0x87cefa, "lightslategray": 0x778899, "lightslategrey": 0x778899, "lightsteelblue": 0xb0c4de, "lightyellow": 0xffffe0, "lime": 0x00ff00, "limegreen": 0x32cd32, "linen": 0xfaf0e6,
	"magenta": 0xff00ff, "maroon": 0x800000, "mediumaquamarine": 0x66cdaa, "mediumblue": 0x0000cd, "mediumorchid": 0xba55d3, "mediumpurple": 0x9370db, "mediumseagreen": 0x3cb371,
	"mediumslateblue": 0x7b68ee, "mediumspringgreen": 0x00fa9a, "mediumturquoise": 0x48d1cc, "mediumvioletred": 0xc71585, "midnightblue": 0x191970, "mintcream": 0xf5fffa, "mistyrose": 0xffe4e1,
	"moccasin": 0xffe4b5, "navajowhite": 0xffdead, "navy": 0x000080, "oldlace": 0xfdf5e6, "olive": 0x808000, "olivedrab": 0x6b8e23, "orange": 0xffa500, "orangered": 0xff4500, "orchid": 0xda70d6,
	"palegoldenrod": 0xeee8aa, "palegreen": 0x98fb98, "paleturquoise": 0xafeeee, "palevioletred": 0xdb7093, "papayawhip": 0xffefd5, "peachpuff": 0xffdab9, "peru": 0xcd853f, "pink": 0xffc0cb,
	"plum": 0xdda0dd, "powderblue": 0xb0e0e6, "purple": 0x800080, "rebeccapurple": 0x663399, "red": 0xff0000, "rosybrown": 0xbc8f8f, "royalblue": 0x4169e1,
	"saddlebrown": 0x8b4513, "salmon": 0xfa8072, "sandybrown": 0xf4a460, "seagreen": 0x2e8b57, "seashell": 0xfff5ee, "sienna": 0xa0522d, "silver": 0xc0c0c0, "skyblue": 0x87ceeb,
	"slateblue": 0x6a5acd, "slategray": 0x708090, "slategrey": 0x708090, "snow": 0xfffafa, "springgreen": 0x00ff7f, "steelblue": 0x4682b4, "tan": 0xd2b48c, "teal": 0x008080, "thistle": 0xd8bfd8,
	"tomato": 0xff6347, "turquoise": 0x40e0d0, "violet": 0xee82ee, "wheat": 0xf5deb3, "white": 0xffffff, "whitesmoke": 0xf5f5f5, "yellow": 0xffff00, "yellowgreen": 0x9acd32,
}
