package groupware

import "testing"

func TestColors(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"#ABC": "#aabbcc", "#abcd": "#aabbcc", "#123456": "#123456", " #12345678 ": "#123456", "#FF8000FF": "#ff8000", "0x0082c9": "#0082c9", "0082C9": "#0082c9", "#ffff80800000": "#ff8000",
		"Blue": "#0000ff", "cornflowerblue": "#6495ed", "LightGrey": "#d3d3d3", "rebeccapurple": "#663399",
		"rgb(1,2,3)": "#010203", "rgb(255 128 0 / 50%)": "#ff8000", "rgba(100%, 50%, 0%, .5)": "#ff8000", "rgb(300,-5,0)": "#ff0000",
		"hsl(120,100%,25%)": "#008000", "hsla(210deg 50% 40% / 1)": "#336699", "hsl(-120, 100%, 50%)": "#0000ff",
		"": "", "#": "", "#12345": "", "#1234567": "", "#GGG": "", "#gggggg": "", "blue-ish": "", "bad": "", "decade": "#decade", "12": "", "rgb(1,2)": "", "rgb(a,b,c)": "", "rgb(NaN,0,0)": "", "lab(1 2 3)": "", "hsl(inf,1%,1%)": "", "hsl(1,nan%,1%)": "", "#é": "",
	} {
		if got := color(text); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}
