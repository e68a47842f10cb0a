package extract

import (
	"strings"

	"github.com/ledongthuc/pdf"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
	"golang.org/x/text/encoding/unicode"
)

// pdfFont decodes strings and knows how wide they are.
type pdfFont struct {
	enc    pdf.TextEncoding
	bytes  int             // of a code
	widths map[int]float64 // in the font's units of a thousandth
	other  float64
}

// maxWidths is how many codes there are, and so how many widths are read.
const maxWidths = 1 << 16

// font reads a font once for each stream that uses it.
func (p *pdfText) font(fonts pdf.Value, name string) *pdfFont {
	if known, ok := p.fonts[name]; ok {
		return known
	}
	f := pdf.Font{V: fonts.Key(name)}
	font := &pdfFont{enc: f.Encoder(), bytes: 1, widths: map[int]float64{}, other: 500}
	if f.V.Key("Subtype").Name() == "Type0" {
		font.composite(f.V.Key("DescendantFonts").Index(0))
		if enc := predefined(f.V.Key("Encoding").Name()); enc != nil {
			font.enc = charsetEncoding{enc}
		}
	} else {
		widths := f.V.Key("Widths")
		for i := range min(widths.Len(), 256) {
			font.widths[f.FirstChar()+i] = widths.Index(i).Float64()
		}
	}
	p.fonts[name] = font
	return font
}

// charsetEncoding decodes strings that are text in a charset.
type charsetEncoding struct{ encoding.Encoding }

func (e charsetEncoding) Decode(raw string) string {
	text, err := e.NewDecoder().String(raw)
	if err != nil {
		return ""
	}
	return text
}

// predefined is the charset of a predefined CMap for Chinese, Japanese and
// Korean. Source: ISO 32000-1, table 118.
func predefined(cmap string) encoding.Encoding {
	for _, known := range []struct {
		part    string
		charset encoding.Encoding
	}{
		{"-UCS2-", unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM)},
		{"-UTF16-", unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM)},
		{"-RKSJ-", japanese.ShiftJIS},
		{"GBK", simplifiedchinese.GBK},
		{"GB-EUC-", simplifiedchinese.GBK},
		{"KSC", korean.EUCKR},
		{"B5", traditionalchinese.Big5},
	} {
		if strings.Contains(cmap, known.part) {
			return known.charset
		}
	}
	return nil
}

// composite reads the widths of a font whose codes have two bytes. Source: ISO
// 32000-1, 9.7.4.3.
func (f *pdfFont) composite(v pdf.Value) {
	f.bytes, f.other = 2, 1000
	if dw := v.Key("DW"); dw.Kind() == pdf.Integer || dw.Kind() == pdf.Real {
		f.other = dw.Float64()
	}
	w := v.Key("W")
	left := maxWidths
	for i := 0; i+1 < w.Len() && left > 0; {
		first := int(w.Index(i).Int64())
		if list := w.Index(i + 1); list.Kind() == pdf.Array {
			for j := range min(list.Len(), left) {
				left--
				f.widths[first+j] = list.Index(j).Float64()
			}
			i += 2
			continue
		}
		last, width := int(w.Index(i+1).Int64()), w.Index(i+2).Float64()
		for code := first; code <= last && left > 0; code++ {
			left--
			f.widths[code] = width
		}
		i += 3
	}
}

// width of a string, in units of the font's size.
func (f *pdfFont) width(raw string) float64 {
	sum := 0.0
	for i := 0; i+f.bytes <= len(raw); i += f.bytes {
		code := int(raw[i])
		if f.bytes == 2 {
			code = code<<8 | int(raw[i+1])
		}
		if w, ok := f.widths[code]; ok {
			sum += w
		} else {
			sum += f.other
		}
	}
	return sum / 1000
}
