class Udpcli < Formula
  desc "@DESCRIPTION@"
  homepage "@HOMEPAGE@"
  version "@VERSION@"
  license any_of: [@LICENSES@]

@PLATFORMS@
  def install
    bin.install "udpcli"
    man1.install Dir["man/man1/*.1"]
    (man/"zh_CN/man1").install Dir["man/zh_CN/man1/*.1"]
    bash_completion.install "completions/udpcli.bash" => "udpcli"
    zsh_completion.install "completions/udpcli.zsh" => "_udpcli"
    fish_completion.install "completions/udpcli.fish"
    doc.install "README.md", "THIRD-PARTY.txt", "docs"
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/udpcli --version")
    assert_match "UDP works on this PC", shell_output("#{bin}/udpcli --lang en demo")
  end
end
